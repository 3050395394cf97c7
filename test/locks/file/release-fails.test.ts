/**
 * A release that the disk refuses: once, again and again, and by a directory that really cannot be changed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import properLockfile from 'proper-lockfile';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { runAttempt } from '../../../src/attempt.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { failing, hooked } from '../../support/fs-steps.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';
import { fail } from './failing-calls.js';
import { AGES_MS, Contender, SharedClock } from './tries.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

const LEASE_MS = 2_000;

describe.each(['EIO', 'EACCES'] as const)('%s', (code) => {
  test.each(['unlinkSync', 'rmdirSync'] as const)('M06 S6: once, at %s: asked again, released', async (call) => {
    const session = newSession();
    fail(code, call, 1);
    const report = await runAttempt({ session, locks: localFileLocks({ leaseMs: LEASE_MS }), work: () => 'done' });
    expect(report).toMatchObject({ outcome: 'completed', lease: 'released', value: 'done' });
    expect(existsSync(`${session}.lock`)).toBe(false);
  });
});

test('S14: a grant that nobody wants any more, and that cannot be removed now, is unknown and can be asked for', async () => {
  const session = newSession();
  const stop = new AbortController();
  const locks = localFileLocks();
  fail('EIO', 'unlinkSync', 1);
  const info = { attemptId: 'a', pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
  const answer = await locks.acquire({ session, owner: 'o', waitMs: 0, signal: stop.signal, info, tokenFloor: async () => {
    stop.abort();
    return 0;
  } });
  expect(answer).toMatchObject({ status: 'unknown', error: expect.any(Error) as Error });
  expect([await locks.releaseOwner(session, 'o'), existsSync(`${session}.lock`)]).toEqual(['released', false]);
});

test('S6: a lock that was taken over and could neither be readied nor removed is found by its owner\'s name', async () => {
  const session = newSession();
  mkdirSync(`${session}.lock`);
  writeFileSync(join(`${session}.lock`, `owner.3.${Date.now() - 60_000}.01234567-89ab-4cde-8f01-23456789abcd`), '{}');
  const locks = localFileLocks();
  const stop = hooked((name) => {
    if (name === 'ftruncateSync' || name === 'writeSync' || name === 'unlinkSync') throw failing('EIO');
  });
  onTestFinished(stop);
  const info = { attemptId: 'a', pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
  const request = { session, owner: 'o', waitMs: 0, signal: new AbortController().signal, info };
  await expect(locks.acquire(request)).rejects.toThrow('EIO');
  stop();
  expect(existsSync(`${session}.lock`)).toBe(true);
  expect([await locks.releaseOwner(session, 'o'), existsSync(`${session}.lock`)]).toEqual(['released', false]);
});

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
