/**
 * Faults that the simulator and the schedules have met, each as small as it gets. One that is not mended yet is marked
 * `it.fails`, which turns red when it is: then make it a plain regression.
 */
import { expect, it } from 'vitest';
import { createActor } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { createAttempt } from '../../src/attempt.js';
import { SleepMeter } from '../../src/clock.js';
import type { AcquireResult, Lease, LockStore } from '../../src/locks/lock-store.js';
import type { WorkContext } from '../../src/options.js';
import { microtasksDone, VirtualClock } from '../../src/testing/virtual-clock.js';

const LEASE_MS = 3_000;

/** A lease that was counted from `askedAt` and that nobody renews, as in a process that sleeps. */
const leaseFrom = (askedAt: number): Lease => ({
  token: 1, owner: 'owner', deadline: askedAt + LEASE_MS, release: async () => 'notHeld', onNotice: () => () => {},
});

const storeOf = (acquire: () => Promise<AcquireResult>): LockStore => ({
  acquire, releaseOwner: async () => 'notHeld', query: async () => [], forceRelease: async () => 'unknown',
  capabilities: { leaseMs: LEASE_MS, tokenScope: 'durable', fencedWrites: false },
});

async function sleep(clock: VirtualClock, ms: number): Promise<void> {
  clock.standStill('asleep');
  await clock.time.advance(ms);
  clock.goOn();
}

it('S2: a cleanup does not write after a sleep in which its lease has ended', async () => {
  const clock = new VirtualClock();
  let finish = (): void => {};
  let wrote = false;
  const attempt = createAttempt({
    session: 's', records: 'none', clock, locks: storeOf(async () => ({ status: 'granted', lease: leaseFrom(clock.now()) })),
    work: () => new Promise<void>((resolve) => { finish = resolve; }),
    cleanup: ({ session }) => session.guard(() => { wrote = true; }),
  });
  void attempt.start();
  await microtasksDone();
  await sleep(clock, 60_000); // another attempt has long been granted the session
  finish(); // before the first renewal could tell
  await microtasksDone();
  await clock.time.advance(20_000);
  expect(wrote).toBe(false); // `work`'s own writer is in doubt here and refuses
});

it('S10: work does not start with a lease that ended in a sleep between asking and the grant', async () => {
  const clock = new VirtualClock();
  let answer: (result: AcquireResult) => void = () => {};
  let started: WorkContext | null = null;
  const attempt = createAttempt({
    session: 's', records: 'none', clock, locks: storeOf(() => new Promise((resolve) => { answer = resolve; })),
    work: (context) => { started = context; },
  });
  void attempt.start();
  const askedAt = clock.now();
  await sleep(clock, 60_000); // granted at once, in truth; the answer is read after the sleep
  answer({ status: 'granted', lease: leaseFrom(askedAt) });
  await microtasksDone();
  const tooEarly = started;
  await clock.time.advance(20_000);
  expect(tooEarly).toBe(null);
});

it('S10: one that waited through a sleep is granted a whole lease after it, and its work starts at once', async () => {
  const clock = new VirtualClock();
  let answer: (result: AcquireResult) => void = () => {};
  let started: WorkContext | null = null;
  const attempt = createAttempt({
    session: 's', records: 'none', clock, locks: storeOf(() => new Promise((resolve) => { answer = resolve; })),
    work: (context) => { started = context; },
  });
  void attempt.start();
  await sleep(clock, 60_000);
  new SleepMeter(clock).slept(); // a store that looks before it asks, as ours does
  await clock.time.advance(1);
  answer({ status: 'granted', lease: leaseFrom(clock.now()) });
  await microtasksDone();
  expect(started).not.toBe(null);
});

it('S14: what our own unanswered ask released is reported unconfirmed, not lost', () => {
  const actor = createActor(attemptMachine, {
    input: {
      budgets: {
        waitMs: 1_000, answerMs: 1_000, openMs: 1_000, timeoutMs: 60_000, idleTimeoutMs: 60_000, settleMs: 0,
        cleanupMs: 1_000, leaseMs: 10_000,
      },
      hasCleanup: false, onUnsettled: 'fence', leaseEnds: true,
    },
  }).start();
  actor.send({ type: 'start' });
  actor.send({ type: 'lock.unknown', seq: 1 }); // so it is asked to release whatever our owner holds: command 2
  actor.send({ type: 'release.unknown', seq: 2 }); // done or not, nobody knows
  actor.send({ type: 'lock.granted', seq: 1, token: 7 }); // it was granted all the same; asked again: command 3
  actor.send({ type: 'release.notHeld', seq: 3 }); // of course: command 2 has released it
  expect(actor.getSnapshot().output?.lease).toBe('unconfirmed'); // SPEC section 4: `notHeld` after an unanswered ask
});
