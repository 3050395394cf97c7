/**
 * All orders of up to five facts in one tick (grant, settle, user abort, timeout abort, loss) through the real driver:
 * exhaustive, for each setting of the ports, with and without the microtasks in between.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAttempt } from '../../src/attempt.js';
import { build, withBug } from '../simulate/patched-build.js';
import { isDeep, someOf } from '../support/depth.js';
import { BUGS, WINDOW_BUGS } from './bugs.js';
import { runOrder, ORDERS, SETTINGS, swapCheck, watchRejections, WINDOW_ORDERS } from './orders.js';

const emit = process.emitWarning;
beforeAll(() => { process.emitWarning = () => {}; }); // unconfirmed releases and late grants are what is tried here
afterAll(() => { process.emitWarning = emit; });

const settings = someOf('settings for the same-tick orders', SETTINGS, 4);

describe('same-tick orders', () => {
  it.each([
    [`S5 S6 S8 S9 S10 S11 S12 S14 S19 L5: ${ORDERS.length} orders`, ORDERS, false],
    [`M04 S5 S6 S9 S10 S11 S12 S14 S19 L5 L8: giving the lock up for a window: ${WINDOW_ORDERS.length} orders`, WINDOW_ORDERS, true],
  ])(`%s x ${settings.length} settings x 2`, async (_title, orders, window) => {
    const rejections = watchRejections();
    const began = performance.now();
    let runs = 0;
    for (const setting of settings) {
      for (const order of orders) {
        for (const breathe of [false, true]) {
          runs += 1;
          const { broken, story } = await runOrder(createAttempt, order, { ...setting, window }, breathe);
          if (broken.length > 0) throw new Error(`${broken.join('\n')}\n${story}`);
        }
      }
    }
    console.log(`schedules: ${runs} same-tick orders, ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    expect(rejections()).toEqual([]);
  }, 120_000);

  it('S18: what happens to the lock is the same whoever aborts', async () => {
    for (const setting of settings) for (const order of ORDERS) {
      if (order.length <= 3) expect(await swapCheck(createAttempt, order, setting)).toEqual([]);
    }
  }, 120_000);
});

describe('the orders bite', () => {
  beforeAll(build, 120_000);

  it.runIf(isDeep)('pass in the build as it is', async () => {
    await withBug(null, async (load) => {
      const { createAttempt: asIs } = await load('src/attempt.js') as { createAttempt: typeof createAttempt };
      expect(await firstBroken(asIs)).toBe(null);
      expect(await firstBrokenWindow(asIs)).toBe(null);
    });
  }, 120_000);

  const bugs = [...Object.entries(BUGS), ...Object.entries(WINDOW_BUGS)];
  it.each(someOf('seeded bugs against the orders', bugs, 2))('%s', async (name, bug) => {
    await withBug(bug, async (load) => {
      const { createAttempt: buggy } = await load('src/attempt.js') as { createAttempt: typeof createAttempt };
      const found = await (name in WINDOW_BUGS ? firstBrokenWindow : firstBroken)(buggy);
      expect(found, 'every order passed').toBeTruthy();
      const again = await runOrder(buggy, found!.order, found!.setting, found!.breathe);
      expect(again.broken).toEqual(found!.broken);
      console.log(`${name}: ${found!.broken[0] ?? found!.swapped?.[0]} | ${found!.order.join(' ')}`);
    });
  }, 120_000);
});

const windowed = SETTINGS.map((setting) => ({ ...setting, window: true }));

async function firstBrokenWindow(create: typeof createAttempt) {
  for (const order of WINDOW_ORDERS) for (const setting of windowed) for (const breathe of [false, true]) {
    if (order.length > 3) return null;
    const { broken } = await runOrder(create, order, setting, breathe);
    if (broken.length > 0) return { order, setting, breathe, broken, swapped: null };
  }
  return null;
}

async function firstBroken(create: typeof createAttempt) {
  for (const order of ORDERS) for (const setting of SETTINGS) for (const breathe of [false, true]) {
    if (order.length > 2) return null; // the short ones are enough for every bug of the list
    const { broken } = await runOrder(create, order, setting, breathe);
    if (broken.length > 0) return { order, setting, breathe, broken };
    const swapped = await swapCheck(create, order, setting);
    if (swapped.length > 0) return { order, setting, breathe, broken, swapped };
  }
  return null;
}
