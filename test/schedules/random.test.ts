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
import { BUGS } from './bugs.js';
import { Case, FACTS, type Setting } from './case.js';
import { watchRejections } from './orders.js';

const seed = Number(process.env['SCHEDULES_SEED'] ?? Date.now() % 2 ** 31);
const runs = Number(process.env['SCHEDULES_RUNS'] ?? (isDeep ? 10_000 : 800));

const emit = process.emitWarning;
beforeAll(() => { process.emitWarning = () => {}; }); // unconfirmed releases and late grants are what is tried here
afterAll(() => { process.emitWarning = emit; });

const anySetting: fc.Arbitrary<Setting> = fc.record({
  releases: fc.array(fc.constantFrom('released', 'notHeld', 'unknown', 'rejects', 'hangs', 'lostAnswer'), { minLength: 1, maxLength: 4 }),
  answer: fc.constantFrom('granted', 'granted', 'granted', 'busy', 'unknown', 'rejects'),
  settleMs: fc.constantFrom(0, 100), cleanup: fc.boolean(), onUnsettled: fc.constantFrom('fence', 'hold'), throws: fc.boolean(),
} as const);
const anyFacts = fc.shuffledSubarray(FACTS.filter((fact) => fact !== 'grant'));
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
      else if (!it.clock.time.step()) it.happen('settle');
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
    const result = await fc.check(schedules(createAttempt), { numRuns: runs, seed });
    console.log(`schedules: ${result.numRuns} random schedules, ${((performance.now() - began) / 1_000).toFixed(1)} s, seed ${seed}`);
    if (result.failed) {
      throw new Error(`${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}\n`
        + `replay: SCHEDULES_SEED=${seed} SCHEDULES_RUNS=${runs} npx vitest run --dir test/schedules random`);
    }
    expect(rejections()).toEqual([]);
  }, 600_000);
});

describe('random schedules bite', () => {
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
      const found = await fc.check(schedules(buggy), { numRuns: 1_000, seed: 42, endOnFailure: true });
      expect(found.failed, 'the bug lived through 1 000 schedules of seed 42').toBe(true);
      const again = await fc.check(schedules(buggy), { seed: 42, path: found.counterexamplePath ?? '', endOnFailure: true });
      expect(again.failed, 'the replay passed').toBe(true);
    });
  }, 120_000);
});
