/**
 * A release that the disk refuses: once, always, and by a directory that really cannot be changed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import properLockfile from 'proper-lockfile';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { runAttempt } from '../../../src/attempt.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { CountingClock } from '../../support/counting-clock.js';
import { failing, hooked } from '../../support/fs-steps.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';
import { AGES_MS, Contender, SharedClock } from './tries.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

const LEASE_MS = 2_000;

/** Calls on owner files, or on the lock's directory, fail so often. */
function fail(code: string, call: 'unlinkSync' | 'rmdirSync' | 'renameSync', times: number): () => void {
  let left = times;
  const stop = hooked((name, _index, args) => {
    if (name !== call || !/\.lock$|owner\./.test(String(args[0])) || left <= 0) return;
    left -= 1;
    throw failing(code);
  });
  onTestFinished(stop);
  return stop;
}

describe.each(['EIO', 'EACCES'] as const)('%s', (code) => {
  test.each(['unlinkSync', 'rmdirSync'] as const)('M06 S6: once, at %s: asked again, released', async (call) => {
    const session = newSession();
    fail(code, call, 1);
    const report = await runAttempt({ session, locks: localFileLocks({ leaseMs: LEASE_MS }), work: () => 'done' });
    expect(report).toMatchObject({ outcome: 'completed', lease: 'released', value: 'done' });
    expect(existsSync(`${session}.lock`)).toBe(false);
  });
});

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

test('S7 M13: asked again after the directory aged and a plain user took it: theirs stays', async () => {
  const session = newSession();
  const lease = await granted(localFileLocks(), session);
  fail('EIO', 'rmdirSync', 1);
  expect(await lease.release()).toBe('unknown');
  // What a plain user does with an empty directory that is old enough, and with its own.
  rmdirSync(`${session}.lock`);
  const unlock = properLockfile.lockSync(session, { realpath: false });
  expect(await lease.release()).toBe('released');
  expect(existsSync(`${session}.lock`), 'the plain user\'s lock').toBe(true);
  unlock();
});

test('M06 S14: a release still unanswered at the lease\'s end is answered truly when it is asked again', () => {
  const clock = new SharedClock();
  const us = new Contender('us', newSession(), clock);
  const lease = us.acquire();
  fail('EIO', 'unlinkSync', 1);
  void lease?.release();
  clock.aheadMs += AGES_MS;
  lease?.beat(); // its end: the place in line is given up
  expect(existsSync(us.places.lock)).toBe(true);
  void lease?.release();
  expect(existsSync(us.places.lock)).toBe(false);
});

test('S10 S12: a lock lost before its token was stated is no grant, though its file could be renamed again', () => {
  const clock = new SharedClock();
  const us = new Contender('us', newSession(), clock);
  const lease = us.take();
  const stop = hooked((name) => {
    if (/rename|unlink/.test(name)) throw failing('EIO');
  });
  onTestFinished(stop);
  clock.aheadMs += AGES_MS;
  lease?.beat();
  stop();
  expect(lease && us.confirm(lease)).toBe(false);
});

test('M06: a directory made immutable: unknown, then released when it can be changed again', async (context) => {
  const session = newSession();
  const lease = await granted(localFileLocks(), session);
  try {
    execFileSync('chattr', ['+i', `${session}.lock`], { stdio: 'pipe' });
  } catch (error) {
    await lease.release();
    return context.skip(`SKIPPED LOUDLY: no immutable directories here (${error})`);
  }
  try {
    expect(await lease.release()).toBe('unknown');
    expect(await ask(localFileLocks(), session)).toMatchObject({ status: 'busy', holder: { state: 'running.working' } });
  } finally {
    execFileSync('chattr', ['-i', `${session}.lock`]);
  }
  expect(await lease.release()).toBe('released');
  expect(existsSync(`${session}.lock`)).toBe(false);
});

test('M08 M15: a stray inside the lock is kept, and does not keep the session locked', async () => {
  const session = newSession();
  const lease = await granted(localFileLocks(), session);
  writeFileSync(join(`${session}.lock`, 'x'.repeat(255)), 'somebody\'s');
  expect(await lease.release()).toBe('released');
  expect(existsSync(`${session}.lock`)).toBe(false);
  await (await granted(localFileLocks(), session)).release();
});
