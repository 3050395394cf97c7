/**
 * What no other test noticed when it was missing from the locks. The bugs are in `../bugs/locks.ts` and
 * `../bugs/file-locks.ts`.
 */
import { expect, test } from 'vitest';
import {
  fromAcquire, localFileLocks, memoryLocks, type AcquireRequest, type LockStore,
} from '../../../src/index.js';
import { until } from '../../support/scene.js';
import { useSessionFiles } from '../../support/session-files.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';

const files = useSessionFiles();

const info = { attemptId: 'a', pid: 1, host: 'h', state: 'running.working', note: null, labels: {} };
const requestOf = (session: string, owner: string, more: Partial<AcquireRequest> = {}): AcquireRequest => (
  { session, owner, waitMs: 0, signal: new AbortController().signal, info, ...more });

async function granted(store: LockStore, request: AcquireRequest) {
  const answer = await store.acquire(request);
  if (answer.status !== 'granted') throw new Error(`expected a grant, got ${answer.status}`);
  return answer.lease;
}

test('S3: the floor of one session does not lower the tokens of another', async () => {
  const store = memoryLocks();
  const first = await granted(store, requestOf('a', 'one', { tokenFloor: async () => 41 }));
  await first.release();
  const other = await granted(store, requestOf('b', 'two', { tokenFloor: async () => 3 }));
  await other.release();
  const again = await granted(store, requestOf('a', 'three', { tokenFloor: async () => 41 }));
  expect([first.token, again.token > first.token]).toEqual([42, true]);
  await again.release();
});

test('M06 S14: a release function that throws has not released: it is told, and called again', async () => {
  let calls = 0;
  const store = fromAcquire(async () => async () => {
    calls += 1;
    if (calls === 1) throw new Error('connection reset');
  });
  const lease = await granted(store, requestOf('a', 'one'));
  await expect(lease.release()).rejects.toThrow('connection reset');
  expect((await store.query('a'))[0]?.holder, 'still held').toMatchObject({ attemptId: 'a' });
  expect([await lease.release(), await lease.release(), calls]).toEqual(['released', 'notHeld', 2]);
});

test('M02 S6: what a lock without a look at its signal grants after patience is over is given back', async () => {
  const clock = new VirtualClock();
  let grant: (release: () => void) => void = () => {};
  let released = 0;
  const store = fromAcquire(() => new Promise((resolve) => { grant = resolve; }), { clock });
  const asked = store.acquire(requestOf('a', 'one', { waitMs: 100 }));
  await clock.advance(100);
  expect(await asked).toMatchObject({ status: 'busy' });
  grant(() => { released += 1; });
  await clock.advance(0);
  expect([released, await store.query(), clock.armed]).toEqual([1, [], 0]);
});

test.each([['ahead', 5_000], ['back', -3_600_000]])(
  'S16: the wall clock set %s neither shortens nor lengthens the wait for a file lock', async (_how, ms) => {
    const clock = new VirtualClock();
    const session = files.session();
    const lease = await granted(localFileLocks({ clock }), requestOf(session, 'holds'));
    const waits = localFileLocks({ clock });
    let status = 'waiting';
    const request = requestOf(session, 'waits', { waitMs: 3_000 });
    const asked = waits.acquire(request).then((answer) => { status = answer.status; });
    await until(() => clock.armed > 1); // the holder's heart, and the wait
    clock.stepWall(ms);
    await clock.advance(2_500);
    expect(status).toBe('waiting');
    await clock.advance(600);
    await until(() => status !== 'waiting' || clock.armed < 2);
    expect(status).toBe('busy');
    await asked;
    await lease.release();
  },
);
