/**
 * A lock one already has, beyond the contract: what it may answer, when it hangs or throws, and what is told of it.
 */
import { expect, test, vi } from 'vitest';
import { fromAcquire, type Acquire, type AcquireRequest, type HolderInfo, type LockStore } from '../../../src/index.js';
import { microtasksDone, VirtualClock } from '../../../src/testing/virtual-clock.js';

type Asked = Partial<Omit<AcquireRequest, 'info'>> & { info?: Partial<HolderInfo> };
const asking = (owner: string, { info, ...more }: Asked = {}): AcquireRequest => ({
  session: 'key', owner, waitMs: 0, signal: new AbortController().signal, ...more,
  info: { attemptId: owner, pid: 7, host: 'here', state: 'running.working', note: null, labels: {}, ...info },
});
function borrowed(acquire: Acquire, releaseMs?: number) {
  const clock = new VirtualClock();
  return { clock, locks: fromAcquire(acquire, { clock, ...(releaseMs !== undefined && { releaseMs }) }) };
}
async function granted(locks: LockStore, owner: string, more: Asked = {}) {
  const answer = await locks.acquire(asking(owner, more));
  if (answer.status !== 'granted') throw new Error(`${owner}: ${JSON.stringify(answer)}`);
  return answer.lease;
}
/** Answered when the test says so. */
function asked() {
  let [answer, fail] = [(_release: any): void => {}, (_error: unknown): void => {}];
  const acquire = vi.fn(() => new Promise((resolve, reject) => { [answer, fail] = [resolve, reject]; }) as ReturnType<Acquire>);
  return { acquire, answer: (release: unknown) => answer(release), fail: (error: unknown) => fail(error) };
}

test('it is a function, and its release is waited for a millisecond at least, five seconds by default', () => {
  expect(fromAcquire(async () => null).capabilities).toEqual({ leaseMs: 5_000, tokenScope: 'none', fencedWrites: false });
  expect(fromAcquire(async () => null, { releaseMs: 1 }).capabilities.leaseMs).toBe(1);
  for (const make of [() => fromAcquire('lock' as never), () => fromAcquire(async () => null, { releaseMs: 0 })]) {
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});

test('S11: who is not wanted is not asked for', async () => {
  const { acquire } = asked();
  expect(await borrowed(acquire).locks.acquire(asking('left', { signal: AbortSignal.abort() }))).toEqual({ status: 'busy', holder: null });
  expect(acquire).not.toHaveBeenCalled();
});

test('S14: null and undefined are a definite no, a rejection is none; anything else is not a lock', async () => {
  const answers: [unknown, object][] = [
    [async () => null, { status: 'busy', holder: null }], [async () => undefined, { status: 'busy', holder: null }],
    [() => null, { status: 'busy', holder: null }],
    [() => { throw new Error('at once'); }, { status: 'unknown', error: { message: 'at once' } }],
    [() => Promise.reject('a text'), { status: 'unknown', error: { message: 'a text' } }],
    [async () => 'a lock', { status: 'unknown', error: { code: 'CONFIG_INVALID' } }],
    [async () => ({ release() {} }), { status: 'unknown', error: { code: 'CONFIG_INVALID' } }],
  ];
  for (const [acquire, answer] of answers) expect(await borrowed(acquire as Acquire).locks.acquire(asking('owner'))).toMatchObject(answer);
  const error = new Error('itself');
  expect(await borrowed(() => Promise.reject(error)).locks.acquire(asking('owner'))).toEqual({ status: 'unknown', error });
});

test('S11: what gives up because it was told to has said no', async () => {
  const leaves = new AbortController();
  const { locks } = borrowed((_session, { signal }) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  }));
  const answer = locks.acquire(asking('left', { waitMs: 1_000, signal: leaves.signal }));
  leaves.abort();
  expect(await answer).toEqual({ status: 'busy', holder: null });
});

test('S11 L5: a failure in the very tick in which it is left is a no as well', async () => {
  const [leaves, lock] = [new AbortController(), asked()];
  const answer = borrowed(lock.acquire).locks.acquire(asking('left', { waitMs: 1_000, signal: leaves.signal }));
  lock.fail(new Error('given up'));
  await Promise.resolve().then(() => {}).then(() => {}).then(() => leaves.abort());
  expect(await answer).toMatchObject({ status: 'busy' });
});

test('L1: one try takes the time it takes; patience ends at its end, and what comes late is given back', async () => {
  const one = asked();
  const { clock, locks } = borrowed(one.acquire);
  const single = locks.acquire(asking('single'));
  await clock.advance(100_000);
  one.answer(() => {});
  const found = await single;
  expect([found.status, found.status === 'granted' && await found.lease.release()]).toEqual(['granted', 'released']);
  const release = vi.fn();
  const patient = locks.acquire(asking('patient', { waitMs: 50 }));
  await clock.advance(50);
  expect(await patient).toEqual({ status: 'busy', holder: null });
  one.answer(release);
  await microtasksDone();
  expect([release.mock.calls.length, await locks.query()]).toEqual([1, []]);
});

test('S6: a late lock whose release throws is given back again, in pauses that double, until its time is over', async () => {
  const warnings: (string | undefined)[] = [];
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation((_message, options) => void warnings.push((options as { code: string }).code));
  try {
    for (const [fails, times] of [[2, [0, 50, 150]], [Infinity, [0, 50, 150, 350, 750]]] as const) {
      const one = asked();
      const { clock, locks } = borrowed(one.acquire, 750);
      const patient = locks.acquire(asking('patient', { waitMs: 50 }));
      await clock.advance(50);
      await patient;
      const calls: number[] = [];
      one.answer(() => {
        calls.push(clock.now() - 50);
        if (calls.length <= fails) throw new Error('not now');
      });
      await clock.advance(10_000);
      expect(calls).toEqual(times);
    }
  } finally {
    warned.mockRestore();
  }
  expect(warnings).toEqual(['ATTEMPT_UNCONFIRMED']);
});

test('S11 S14: what is granted to who left in that tick is released; where that fails nobody knows', async () => {
  for (const [release, answer] of [
    [() => {}, { status: 'busy', holder: null }], [() => { throw new Error('stuck'); }, { status: 'unknown', error: { message: 'stuck' } }],
  ] as const) {
    const [leaves, one] = [new AbortController(), asked()];
    const { locks } = borrowed(one.acquire);
    const waiting = locks.acquire(asking('left', { waitMs: 1_000, signal: leaves.signal }));
    await locks.releaseOwner('key', 'left');
    one.answer(release);
    expect(await waiting).toMatchObject(answer);
  }
});

test('S14 R1: a release that threw is called again, one under way is joined, one that worked is not repeated', async () => {
  let [calls, end] = [0, (): void => {}];
  const { locks } = borrowed(async () => () => {
    calls += 1;
    if (calls === 1) throw new Error('not now');
    return new Promise<void>((resolve) => { end = resolve; });
  });
  const lease = await granted(locks, 'owner');
  await expect(lease.release()).rejects.toThrow('not now');
  const [one, other] = [lease.release(), lease.release()];
  end();
  expect([await one, await other, await lease.release(), calls]).toEqual(['released', 'released', 'notHeld', 2]);
});

test('M02 S14: an owner whose request is out is not known to hold nothing; one that never asked is', async () => {
  const one = asked();
  const { locks } = borrowed(one.acquire);
  const waiting = locks.acquire(asking('owner', { waitMs: 100 }));
  expect([await locks.releaseOwner('key', 'owner'), await locks.releaseOwner('key', 'nobody')]).toEqual(['unknown', 'notHeld']);
  one.answer(null);
  await waiting;
  expect(await locks.releaseOwner('key', 'owner')).toBe('notHeld');
});

test('M19: each session is told with its own holder and waiters, and force has nothing to prove itself by', async () => {
  const one = asked();
  const { clock, locks } = borrowed((session) => (session === 'slow' ? one.acquire() : Promise.resolve(() => {})));
  const lease = await granted(locks, 'a', { info: { supersedable: false } });
  await granted(locks, 'b', { session: 'other' });
  const waiting = locks.acquire(asking('c', { session: 'slow', waitMs: 100 }));
  expect(await locks.query()).toMatchObject([
    { session: 'key', holder: { owner: 'a', token: null, sameProcess: true, supersedable: false }, waiting: [] },
    { session: 'other', holder: { owner: 'b', supersedable: true }, waiting: [] },
    { session: 'slow', holder: null, waiting: [{ attemptId: 'c', sameProcess: true, since: clock.wallNow() }] },
  ]);
  expect(await locks.query('other')).toMatchObject([{ session: 'other', holder: { owner: 'b' }, waiting: [] }]);
  expect(await locks.forceRelease('key', { token: 0 })).toBe('unknown');
  const ask = { as: 'superseded', by: 'next', signal: new AbortController().signal } as const;
  const answers = ['a', 'b', 'c', null].map((owner) => locks.askHolder?.('key', { owner, token: null }, ask));
  expect(await Promise.all(answers)).toEqual(['refused', 'asked', 'notHeld', 'unknown']);
  one.answer(null);
  await waiting;
  await lease.release();
  expect((await locks.query()).map(({ session }) => session)).toEqual(['other']);
});
