/**
 * Random lives of an attempt, against the real driver: each invariant must hold in every one of them. The last
 * test shows that each can fail: the driver, spoilt in one place, is found out.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Driver } from '../../src/driver/driver.js';
import { breaksAndReplays, holds, numberFrom, testSeed } from '../support/holds.js';
import { Scene } from '../support/scene.js';
import type { ScriptedStore } from '../support/scripted-store.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { invariants } from './invariants-of-play.js';
import { plans } from './plan.js';
import { play } from './play.js';

/**
 * `ATTEMPT_SEED=n` repeats a run. A life that does not end by timers alone (L7) fails in every property: see
 * play.ts.
 */
const seed = numberFrom('ATTEMPT_SEED', testSeed);
console.info(`properties of attempts: ATTEMPT_SEED=${seed}`);
const replay = (from: number, runs: number): string =>
  `ATTEMPT_SEED=${from} ATTEMPT_RUNS=${runs} npx vitest run --dir test properties/attempt`;
/** Lives per invariant. `ATTEMPT_RUNS=5000` for a long look. */
const RUNS = numberFrom('ATTEMPT_RUNS', 60);

const quiet = new Scene();
const reached = new Set<string>();
const property = (check: (typeof invariants)[string]) => fc.asyncProperty(plans, async (plan) => {
  const played = await play(plan);
  const { outcome, lease, abortedBy, settled } = played.report;
  for (const fact of [outcome, `lease ${lease}`, `by ${abortedBy}`, `settled ${settled}`]) reached.add(fact);
  await check(played);
});

const { perform, abort, moved } = Driver.prototype;
afterEach(() => {
  Object.assign(Driver.prototype, { perform, abort, moved });
  VirtualClock.prototype.setTimeout = setTimer;
  quiet.silence();
});
const setTimer = VirtualClock.prototype.setTimeout;

describe('every life of an attempt, and L7: timers alone lead to its end', () => {
  for (const [index, [title, check]] of Object.entries(invariants).entries()) {
    test(title, async () => {
      quiet.listen();
      const other = { seed: seed + index, replay: (from: number, runs: number) => replay(from - index, runs) };
      await holds(property(check), { ...other, runs: RUNS }); // other lives for each
    }, 600_000);
  }
});

test('lives like these reach every outcome, every end of the lock and every cause', async () => {
  quiet.listen();
  reached.clear();
  await fc.assert(property(() => {}), { seed: 7, numRuns: 300 }); // always the same ones: no matter of luck
  expect([...reached].toSorted()).toEqual([
    'aborted', 'by leaseLost', 'by null', 'by shutdown', 'by superseded', 'by timeout', 'by user', 'completed',
    'failed', 'lease expired', 'lease lost', 'lease neverHeld', 'lease released', 'lease unconfirmed',
    'notStarted', 'settled false', 'settled null', 'settled true',
  ]);
});

type Perform = typeof perform;
const withPerform = (spoilt: (driver: Driver<unknown>, ...args: Parameters<Perform>) => void) => (): void => {
  Driver.prototype.perform = function performSpoilt(this: Driver<unknown>, ...args) { spoilt(this, ...args); };
};

/** The driver spoilt in one place, and an invariant that finds it out. */
const mutants: [string, string, () => void][] = [
  ['never asks for release', 'S6', withPerform((driver, command, seq) => {
    if (command !== 'askRelease') perform.call(driver, command, seq);
  })],
  ['asks for release unless the user aborted (M01)', 'S18', withPerform((driver, command, seq) => {
    if (command === 'askRelease' && driver.snapshot().abortedBy === 'user') return;
    perform.call(driver, command, seq);
  })],
  ['starts the work twice', 'S10', withPerform((driver, command, seq) => {
    perform.call(driver, command, seq);
    if (command === 'startWork') perform.call(driver, command, seq);
  })],
  ['starts the work when it is opened for', 'S10', withPerform((driver, command, seq) => {
    perform.call(driver, command, seq);
    if (command === 'openSession') perform.call(driver, 'startWork', seq);
  })],
  ['does not tell the work', 'S5', withPerform((driver, command, seq) => {
    if (command !== 'tellWork') perform.call(driver, command, seq);
  })],
  ['asks for the lock again when the writer is closed (M04)', 'S11', withPerform((driver, command, seq) => {
    perform.call(driver, command, seq);
    if (command === 'closeWriter') perform.call(driver, 'requestLock', seq);
  })],
  ['calls onTimeout on every abort', 'S9', withPerform((driver, command, seq) => {
    perform.call(driver, command, seq);
    if (command === 'tellWork') driver.spec.onTimeout?.({ attemptId: '', session: '', kind: 'run' });
  })],
  ['takes every abort for a timeout (M18)', 'S9', () => {
    Driver.prototype.abort = function abortSpoilt(this: Driver<unknown>, by, reason) {
      return abort.call(this, by === 'shutdown' ? by : 'timeout', reason);
    };
  }],
  ['says done when it begins to release (M20)', 'S19', () => {
    Driver.prototype.moved = function movedSpoilt(this: Driver<unknown>, from, to, event) {
      moved.call(this, from, to, event);
      if (to !== 'releasing.asking') return;
      this.ended({
        outcome: 'failed', abortedBy: null, timeoutKind: null, reason: undefined, lateAborts: [],
        lease: 'released', token: 1, settled: true, abandoned: false, value: 1, workError: null, failure: null,
        cleanupError: null, releaseError: null,
      });
    };
  }],
  ['believes an answer nobody gave', 'S14', () => {
    Driver.prototype.perform = function performSpoilt(this: Driver<unknown>, command, seq) {
      if (command !== 'askRelease') return perform.call(this, command, seq);
      const { lease } = (this.spec.locks as ScriptedStore).asks[0] ?? {};
      if (lease) Object.assign(lease, { release: async () => 'released' });
      return perform.call(this, command, seq);
    };
  }],
  ['keeps slow time', 'L1', () => {
    VirtualClock.prototype.setTimeout = function slowly(this: VirtualClock, fn, ms) {
      return setTimer.call(this, fn, ms * 1.5);
    };
  }],
  ['settles slowly', 'L2', () => {
    VirtualClock.prototype.setTimeout = function slowly(this: VirtualClock, fn, ms) {
      return setTimer.call(this, fn, ms === 100 || ms === 500 ? ms * 10 : ms);
    };
  }],
  ['changes its report afterwards', 'S8', () => {
    Driver.prototype.abort = function abortSpoilt(this: Driver<unknown>, by, reason) {
      const answer = abort.call(this, by, reason);
      if (answer.state !== 'released') return answer;
      void this.done.then((report) => Object.assign(report, { outcome: 'aborted', abortedBy: by }));
      return answer;
    };
  }],
];

describe('each invariant can fail', () => {
  for (const [what, id, spoil] of mutants) {
    test(`${id}: finds a driver that ${what}`, async () => {
      quiet.listen();
      const [, check] = Object.entries(invariants).find(([title]) => title.startsWith(`${id}:`)) ?? [];
      if (!check) throw new Error(`no invariant ${id}`);
      await fc.assert(property(check), { seed: 7, numRuns: 5 }); // it holds before it is spoilt
      spoil();
      await breaksAndReplays(() => property(check), { seed: 7, runs: 500, replay });
    });
  }
});
