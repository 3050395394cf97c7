/**
 * Taking over and stopping from outside, on every store that can ask: who ends, as what, who is served when.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  attempts, createAttempt, localFileLocks, memoryLocks, runAttempt, stopAttempt, StopAsked,
  type AttemptOptions, type LockStore,
} from '../../src/index.js';
import { CountingClock, watchers } from '../support/counting-clock.js';
import { deferred, until, untilAborted } from '../support/scene.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Two stores of one session: what one asks the other's holder hears, through the disk or not. */
const stores: Record<string, () => readonly [LockStore, LockStore]> = {
  memoryLocks: () => {
    const one = memoryLocks();
    return [one, one];
  },
  'localFileLocks, one store': () => {
    const one = localFileLocks({ clock });
    return [one, one];
  },
  'localFileLocks, two stores': () => [localFileLocks({ clock }), localFileLocks({ clock })],
};

const clock = new CountingClock();
let session = '';

beforeEach(() => { session = join(temporaryDirectory(), 'session'); });
afterEach(async () => {
  expect(attempts.active(), 'no attempt is at work').toEqual([]);
  expect(clock.armed, 'L5: timers left').toBe(0);
  // A watcher that was just closed is listed for some ticks.
  for (let tick = 0; tick < 1_000 && watchers() > 0; tick += 1) await new Promise(setImmediate);
  expect(watchers(), 'L5: watchers left').toBe(0);
});

const start = <T = never>(locks: LockStore, options: Partial<AttemptOptions<T>> = {}) => {
  const work = untilAborted as AttemptOptions<T>['work'];
  const attempt = createAttempt<T>({ session, locks, clock, records: 'none', work, ...options });
  return { attempt, done: attempt.start() };
};

/** An attempt that is at work. */
async function atWork<T = never>(locks: LockStore, options?: Partial<AttemptOptions<T>>) {
  const started = start(locks, options);
  await until(() => started.attempt.snapshot().state === 'running.working');
  return started;
}

const waiting = (count: number, locks: LockStore) => async (): Promise<void> => {
  while (((await locks.query(session))[0]?.waiting.length ?? 0) < count) await new Promise(setImmediate);
};

describe.each(Object.entries(stores))('%s', (_name, make) => {
  test('L1: takeOver asks the holder to end; it cleans up, and then the lock is ours', async () => {
    const [one, other] = make();
    const did: string[] = [];
    const holder = await atWork(one, { cleanup: () => { did.push('cleanup'); } });
    const taker = await runAttempt({
      session, locks: other, clock, records: 'none', takeOver: true, attemptId: `newest-${Math.random()}`,
      work: () => { did.push('work'); },
    });
    expect(await holder.done).toMatchObject({
      outcome: 'aborted', abortedBy: 'superseded', reason: taker.attemptId, lease: 'released', settled: true, lateAborts: [],
    });
    expect(taker).toMatchObject({ outcome: 'completed', lease: 'released' });
    expect(did).toEqual(['cleanup', 'work']);
  });

  test('M22: a holder that is not supersedable refuses, goes on, and LOCK_BUSY says so', async () => {
    const [one, other] = make();
    const free = deferred();
    const holder = await atWork(one, { supersedable: false, work: () => free.promise });
    const refused = await runAttempt({ session, locks: other, clock, records: 'none', takeOver: true, waitMs: 150, work: () => 1 });
    expect(refused).toMatchObject({
      outcome: 'notStarted', error: { code: 'LOCK_BUSY', holder: { supersedable: false, attemptId: holder.attempt.id } },
    });
    expect(refused.error).toMatchObject({ message: expect.stringContaining('not to be superseded') });
    expect(holder.attempt.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null });
    free.resolve('whole');
    expect(await holder.done).toMatchObject({ outcome: 'completed', value: 'whole', lateAborts: [] });
  });

  test('L6: a user\'s stop from outside is never refused, and the report says who asked and why', async () => {
    const [one, other] = make();
    const holder = await atWork(one, { supersedable: false });
    const stopped = await stopAttempt(session, { locks: other, clock, reason: 'enough' });
    const report = await holder.done;
    expect(stopped).toMatchObject({ result: 'ended', holder: { attemptId: holder.attempt.id } });
    expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
    expect(report.outcome === 'aborted' && report.reason).toBeInstanceOf(StopAsked);
    expect(report).toMatchObject({ reason: { said: 'enough', by: expect.stringContaining(`pid ${process.pid} `) } });
  });

  test('M19: a stop meant for an attempt that has ended does not hit the next one', async () => {
    const [one, other] = make();
    const first = await atWork(one);
    first.attempt.abort();
    await first.done;
    expect(await stopAttempt(session, { locks: other, clock })).toMatchObject({ result: 'notHeld', holder: null });
    const next = await atWork(one);
    const met = await stopAttempt(session, { locks: other, clock, attemptId: first.attempt.id });
    expect(met).toMatchObject({ result: 'notHeld', holder: { attemptId: next.attempt.id } });
    expect(next.attempt.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null });
    next.attempt.abort();
    expect(await next.done).toMatchObject({ lateAborts: [] });
  });

  test('L4: who takes over does not jump the line: who has waited longer is served, and then asked, too', async () => {
    const [one] = make();
    const holder = await atWork(one);
    const before = start(one);
    await waiting(1, one)();
    const taker = await start(one, { takeOver: true, work: () => 'newest' }).done;
    expect(await holder.done).toMatchObject({ abortedBy: 'superseded', token: 1 });
    expect(await before.done).toMatchObject({ abortedBy: 'superseded', reason: taker.attemptId, token: 2, lease: 'released' });
    expect(taker).toMatchObject({ outcome: 'completed', value: 'newest', token: 3 });
  });

  test('M04: after a window of its own, one that took over asks nobody again', async () => {
    const [one, other] = make();
    const inside = deferred();
    const [opened, done] = [deferred(), deferred()];
    const taker = start<unknown>(one, {
      takeOver: true,
      work: async ({ yieldLock }) => {
        await yieldLock(() => {
          opened.resolve(null);
          return inside.promise;
        });
        return 'back';
      },
    });
    await opened.promise;
    const guest = await atWork<unknown>(other, { work: ({ signal }) => Promise.race([done.promise, untilAborted({ signal })]) });
    inside.resolve(null);
    await until(() => taker.attempt.snapshot().state .startsWith('running.reacquiring'));
    await new Promise((resolve) => { setTimeout(resolve, 150); }); // longer than it takes to look again
    expect(guest.attempt.snapshot().abortedBy).toBeNull();
    done.resolve('whole');
    expect(await guest.done).toMatchObject({ outcome: 'completed', value: 'whole' });
    expect(await taker.done).toMatchObject({ outcome: 'completed', value: 'back' });
  });

  test('L5: an attempt that gives up taking over asks nobody any more', async () => {
    const [one, other] = make();
    const free = deferred();
    const holder = await atWork(one, { supersedable: false, work: () => free.promise });
    const taker = start(other, { takeOver: true });
    await waiting(1, other)();
    taker.attempt.abort('changed my mind');
    expect(await taker.done).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'neverHeld' });
    free.resolve(null);
    expect(await holder.done).toMatchObject({ outcome: 'completed' });
  });
});

test('L1: a stop that is not followed within its time says that it is still held, and the ask stands', async () => {
  const locks = memoryLocks();
  const end = deferred();
  const holder = await atWork(locks, { onUnsettled: 'hold', settleMs: 1, work: () => end.promise });
  expect(await stopAttempt(session, { locks, withinMs: 40 })).toMatchObject({ result: 'stillHeld' });
  end.resolve(null);
  expect(await holder.done).toMatchObject({ outcome: 'aborted', abortedBy: 'user', settled: true });
});

test('S14: what cannot work is refused before anything is touched', async () => {
  const whole = memoryLocks();
  const bare: LockStore = {
    capabilities: whole.capabilities, acquire: (request) => whole.acquire(request), query: (one) => whole.query(one),
    releaseOwner: (one, owner) => whole.releaseOwner(one, owner), forceRelease: (one, proof) => whole.forceRelease(one, proof),
  };
  const refusal = (options: object): string => {
    try {
      createAttempt({ session, work: () => 1, ...options });
      return 'made';
    } catch (error) {
      return `${(error as { code: string }).code} ${(error as Error).message}`;
    }
  };
  expect(refusal({ takeOver: true, waitMs: 0 })).toMatch(/^CONFIG_INVALID waitMs: .*more than 0/);
  expect(refusal({ takeOver: true, locks: bare })).toMatch(/^CONFIG_INVALID takeOver: .*askHolder/);
  expect(refusal({ takeOver: 'yes' })).toMatch(/^CONFIG_INVALID takeOver/);
  expect(refusal({ supersedable: 1 })).toMatch(/^CONFIG_INVALID supersedable/);
  expect(refusal({ supersedable: false, waitMs: 0 })).toBe('made');
  await expect(stopAttempt('', {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(stopAttempt(session, { withinMs: -1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await stopAttempt(session, { locks: bare })).toMatchObject({ result: 'notHeld' });
  const holder = await atWork(bare);
  expect(await stopAttempt(session, { locks: bare })).toMatchObject({ result: 'cannotAsk', holder: { attemptId: holder.attempt.id } });
  holder.attempt.abort();
  expect(await holder.done).toMatchObject({ abortedBy: 'user', lateAborts: [] });
});
