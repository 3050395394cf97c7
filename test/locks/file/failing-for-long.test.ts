/**
 * A disk that refuses our calls until the lease ends and beyond, in real time: doubt, loss, and who is next.
 */
import { existsSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { runAttempt } from '../../../src/attempt.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { CountingClock } from '../../support/counting-clock.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';
import { fail } from './failing-calls.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

const LEASE_MS = 2_000;

test('M06 L5 L7: always: ends with the lease, says so, and the next one gets the lock', async () => {
  const session = newSession();
  const clock = new CountingClock();
  const locks = localFileLocks({ leaseMs: LEASE_MS, clock });
  const stop = fail('EIO', 'unlinkSync', Infinity);
  const waiting: Promise<unknown>[] = [];
  const report = await runAttempt({
    session, locks,
    work: () => { waiting.push(ask(localFileLocks({ leaseMs: LEASE_MS, clock }), session, { waitMs: 20_000 })); },
  });
  expect(report).toMatchObject({ outcome: 'completed', lease: 'expired' });
  const [next] = await Promise.all(waiting) as [Awaited<ReturnType<typeof ask>>];
  expect(next.status, 'the one waiting').toBe('granted');
  stop();
  if (next.status === 'granted') expect(await next.lease.release()).toBe('released');
  // Its own store hears of the end with the next beat, which may come after another one's grant.
  await vi.waitFor(() => expect(clock.armed, 'L5: the heart has stopped').toBe(0), { timeout: 50_000 });
  expect(existsSync(`${session}.lock`)).toBe(false);
}, 60_000);

test('M12 S14: a renewal that fails is doubt, and a loss only a lease after the end', async () => {
  const session = newSession();
  const lease = await granted(localFileLocks({ leaseMs: LEASE_MS }), session);
  const heard: string[] = [];
  const lost = new Promise<void>((resolve) => {
    lease.onNotice(({ type }) => {
      heard.push(type);
      if (type === 'lost') resolve();
    });
  });
  const startedAt = performance.now();
  const stop = fail('EIO', 'renameSync', Infinity);
  await lost;
  stop();
  expect(heard).toEqual(['inDoubt', 'lost']);
  expect(performance.now() - startedAt).toBeGreaterThan(2 * LEASE_MS - 1_000);
  expect(existsSync(`${session}.lock`), 'ours, so it is taken away').toBe(false);
}, 60_000);

test('M12: a renewal that fails once is made up for, and nobody is told', async () => {
  const session = newSession();
  const lease = await granted(localFileLocks({ leaseMs: LEASE_MS }), session);
  const heard: string[] = [];
  lease.onNotice(({ type }) => heard.push(type));
  const { deadline } = lease;
  fail('EIO', 'renameSync', 1);
  await vi.waitFor(() => expect(lease.deadline).toBeGreaterThan(deadline), { timeout: 5_000 });
  expect(heard).toEqual([]);
  expect(await lease.release()).toBe('released');
}, 60_000);
