/**
 * Random schedules: `fc.scheduler` decides when each answer of store and records arrives, when the work settles, when
 * aborts and the loss happen, and when time goes on. SCHEDULES_SEED and SCHEDULES_RUNS choose others.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAttempt } from '../../src/attempt.js';
import { microtasksDone } from '../../src/testing/virtual-clock.js';
import { build, withBug } from '../simulate/patched-build.js';
import { isDeep, someOf } from '../support/depth.js';
import { breaksAndReplays, holds, numberFrom, testSeed } from '../support/holds.js';
import { BUGS } from './bugs.js';
import { Case, FACTS, type Setting } from './case.js';
import { watchRejections } from './orders.js';

const seed = numberFrom('SCHEDULES_SEED', testSeed);
const runs = numberFrom('SCHEDULES_RUNS', isDeep ? 10_000 : 800);
const replay = (from: number, many: number): string =>
  `SCHEDULES_SEED=${from} SCHEDULES_RUNS=${many} npx vitest run --dir test schedules/random`;

const emit = process.emitWarning;
beforeAll(() => { process.emitWarning = () => {}; }); // unconfirmed releases and late grants are what is tried here
afterAll(() => { process.emitWarning = emit; });

const anySetting: fc.Arbitrary<Setting> = fc.record({
  releases: fc.array(fc.constantFrom('released', 'notHeld', 'unknown', 'rejects', 'hangs', 'lostAnswer'), { minLength: 1, maxLength: 4 }),
  answer: fc.constantFrom('granted', 'granted', 'granted', 'busy', 'unknown', 'rejects'),
  settleMs: fc.constantFrom(0, 100), cleanup: fc.boolean(), window: fc.boolean(), onUnsettled: fc.constantFrom('fence', 'hold'), throws: fc.boolean(),
} as const);
const anyFacts = fc.shuffledSubarray([...FACTS.filter((fact) => fact !== 'grant'), 'window'] as const);
const anyTicks = fc.array(fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constant(2_000)), { maxLength: 6 });

const schedules = (create: typeof createAttempt) =>
  fc.asyncProperty(fc.scheduler(), anySetting, anyFacts, anyTicks, async (s, setting, facts, ticks) => {
    const it = new Case(create, (what, answer) => s.schedule(Promise.resolve(), what).then(answer), setting);
    void it.attempt.start();
    for (const fact of facts) void s.schedule(Promise.resolve(), fact).then(() => it.happen(fact));
    for (const ms of ticks) void s.schedule(Promise.resolve(), `${ms} ms`).then(() => it.clock.time.advance(ms));
    // Nothing here waits on the scheduler itself: the attempt's promise is collected and looked at when all is over.
    while (it.reports.length === 0 || s.count() > 0) {
      await microtasksDone();
      if (s.count() > 0) await s.waitOne();
      else if (!it.clock.time.step()) {
        it.happen('window');
        it.happen('settle');
      }
    }
    await it.end();
    while (s.count() > 0) await s.waitOne();
    await it.clock.time.advance(10_000);
    while (s.count() > 0) await s.waitOne();
    const broken = it.verdict();
    if (broken.length > 0) throw new Error(`${broken.join('\n')}\nledger: ${it.ledger.said.join(', ')}`);
  });

describe('random schedules', () => {
  it(`S5 S6 S8 S9 S10 S11 S12 S14 S19 L5: ${runs} schedules, seed ${seed}`, async () => {
    const rejections = watchRejections();
    const began = performance.now();
    await holds(schedules(createAttempt), { seed, runs, replay });
    console.log(`schedules: ${runs} random schedules, ${((performance.now() - began) / 1_000).toFixed(1)} s, seed ${seed}`);
    expect(rejections()).toEqual([]);
  }, 600_000);
});

// Code that Stryker has changed in a hundred places at once is no build to put one bug into.
describe.skipIf(process.env['ATTEMPT_MUTANTS'] !== undefined)('random schedules bite', () => {
  beforeAll(build, 120_000);

  it.runIf(isDeep)('pass in the build as it is', async () => {
    await withBug(null, async (load) => {
      const { createAttempt: asIs } = await load('src/attempt.js') as { createAttempt: typeof createAttempt };
      expect((await fc.check(schedules(asIs), { numRuns: 1_000, seed: 42 })).failed).toBe(false);
    });
  }, 120_000);

  // S18 compares two runs and is asked by the exhaustive orders only.
  const asked = Object.entries(BUGS).filter(([name]) => !name.includes('(S18)'));
  it.each(someOf('seeded bugs against random schedules', asked, 2))('%s', async (_name, bug) => {
    await withBug(bug, async (load) => {
      const { createAttempt: buggy } = await load('src/attempt.js') as { createAttempt: typeof createAttempt };
      const line = await breaksAndReplays(() => schedules(buggy), { seed: 42, runs: 3_000, replay });
      expect(line).toBe('SCHEDULES_SEED=42 SCHEDULES_RUNS=3000 npx vitest run --dir test schedules/random');
    });
  }, 120_000);
});
