/**
 * Locks in memory, beyond the contract: when the floor is asked for, how long an owner stays buried, what is told.
 */
import { expect, test } from 'vitest';
import { memoryLocks, type AcquireRequest, type HolderInfo, type Lease, type LockStore } from '../../../src/index.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';

type Asked = Partial<Omit<AcquireRequest, 'info'>> & { info?: Partial<HolderInfo> };
const asking = (owner: string, { info, ...more }: Asked = {}): AcquireRequest => ({
  session: 'key', owner, waitMs: 0, signal: new AbortController().signal, ...more,
  info: { attemptId: owner, pid: 7, host: 'here', state: 'running.working', note: null, labels: {}, ...info },
});
async function granted(locks: LockStore, owner: string, more: Asked = {}): Promise<Lease> {
  const answer = await locks.acquire(asking(owner, more));
  if (answer.status !== 'granted') throw new Error(`${owner}: ${JSON.stringify(answer)}`);
  return answer.lease;
}

/** Counts how often a session's floor is asked for. */
function floors(token = 0) {
  const asked: string[] = [];
  const of = (session: string) => ({ session, tokenFloor: async () => {
    asked.push(session);
    return token;
  } });
  return { asked, of };
}

test('the lease is a millisecond long at least, ten seconds by default', () => {
  expect(memoryLocks().capabilities).toEqual({ leaseMs: 10_000, tokenScope: 'process', fencedWrites: false });
  expect(memoryLocks({ leaseMs: 1 }).capabilities.leaseMs).toBe(1);
  for (const leaseMs of [0, -1]) expect(() => memoryLocks({ leaseMs })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('S3: a session\'s floor is asked for once, and only by who is to be granted it', async () => {
  const locks = memoryLocks({ clock: new VirtualClock() });
  const { asked, of } = floors(41);
  const lease = await granted(locks, 'first', of('key'));
  expect(lease.token).toBe(42);
  expect(await locks.acquire(asking('refused', of('key')))).toMatchObject({ status: 'busy', holder: { owner: 'first' } });
  expect(await locks.acquire(asking('refused elsewhere', { ...of('other'), signal: AbortSignal.abort() }))).toMatchObject({ status: 'busy' });
  await lease.release();
  expect((await granted(locks, 'second', of('key'))).token).toBe(43);
  expect(asked).toEqual(['key']);
});

test('S3: without a floor to ask for none is known: who asks later and has one is heard', async () => {
  const locks = memoryLocks();
  await (await granted(locks, 'first')).release();
  expect((await granted(locks, 'second', floors(41).of('key'))).token).toBe(42);
});

test('S11 L8: a floor that never comes keeps nobody in line who has left, and teaches nothing', async () => {
  const locks = memoryLocks({ clock: new VirtualClock() });
  const leaves = new AbortController();
  const never = { signal: leaves.signal, tokenFloor: () => new Promise<number>(() => {}) };
  const hangs = locks.acquire(asking('hangs', never));
  leaves.abort();
  expect(await hangs).toEqual({ status: 'busy', holder: null });
  expect((await granted(locks, 'next', floors(41).of('key'))).token).toBe(42);
});

test('S14: a floor that cannot be read is told as what it is', async () => {
  const cause = new Error('no disk');
  const answer = await memoryLocks().acquire(asking('unlucky', { tokenFloor: () => Promise.reject(cause) }));
  expect(answer).toMatchObject({ status: 'unknown', error: { cause } });
});

test('L5: the floors of ten thousand sessions are remembered; then all are asked for again', async () => {
  const locks = memoryLocks();
  const { asked, of } = floors();
  const use = async (session: string) => (await granted(locks, session, of(session))).release();
  for (let n = 0; n < 10_000; n += 1) await use(`${n}`);
  await use('0');
  expect(asked).toHaveLength(10_000);
  await use('one more');
  await use('0');
  expect(asked.slice(10_000)).toEqual(['one more', '0']);
});

test('S11: an owner stays buried for a lease and an answer\'s time', async () => {
  const clock = new VirtualClock();
  const locks = memoryLocks({ clock, leaseMs: 10_000 });
  await locks.releaseOwner('key', 'owner');
  await clock.advance(14_999);
  expect(await locks.acquire(asking('owner'))).toEqual({ status: 'busy', holder: null });
  await clock.advance(1);
  await granted(locks, 'owner');
});

test('L4: who waits is told as this process\'s, in order; the holder as supersedable unless it says otherwise', async () => {
  const clock = new VirtualClock();
  const locks = memoryLocks({ clock });
  const first = await granted(locks, 'first');
  const waiting = granted(locks, 'second', { waitMs: 100, info: { supersedable: false } });
  expect(await locks.query()).toMatchObject([{
    session: 'key', holder: { owner: 'first', supersedable: true, sameProcess: true, until: null },
    waiting: [{ attemptId: 'second', sameProcess: true, since: clock.wallNow() }],
  }]);
  await first.release();
  await waiting;
  expect((await locks.query('key'))[0]).toMatchObject({ holder: { owner: 'second', supersedable: false }, waiting: [] });
});

test('S7 M19: by force nothing is taken that is not held, or carries another token', async () => {
  const locks = memoryLocks();
  expect(await locks.forceRelease('key', { token: 1 })).toBe('notHeld');
  const lease = await granted(locks, 'holder');
  expect(await locks.forceRelease('key', { token: lease.token + 1 })).toBe('notHeld');
  expect(await locks.forceRelease('key', { token: lease.token })).toBe('released');
  expect(await locks.forceRelease('key', { token: lease.token })).toBe('notHeld');
});
