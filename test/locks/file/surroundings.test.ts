/**
 * Bad surroundings: each is answered with a typed error, or with "busy" and what was found. Nothing that is not ours is
 * removed, nothing hangs, and the attempt's report is true.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runAttempt } from '../../../src/attempt.js';
import { localFileLocks, type LocalFileLocksOptions } from '../../../src/locks/file/local-file-locks.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { granted, picture } from './attempt.js';
import { contender, newSession } from './contender.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const LATER = Date.now() + 3_600_000;
const LONG_AGO = Date.now() - 3_600_000;

const attempt = (session: string, options: LocalFileLocksOptions = {}, waitMs = 0) =>
  runAttempt({ session, locks: localFileLocks(options), waitMs, work: () => expect.fail('must not run') });

/** What lies at the lock's place, and what is said about it. */
const PLANTED: Record<string, { plant: (lock: string) => void; said: RegExp }> = {
  'a file': { plant: (lock) => writeFileSync(lock, 'mine'), said: /a file/ },
  'a symbolic link to a directory': { plant: (lock) => symlinkSync(dirname(lock), lock), said: /a symbolic link/ },
  'a dangling link': { plant: (lock) => symlinkSync('nowhere', lock), said: /a symbolic link/ },
  'a pipe': { plant: (lock) => execFileSync('mkfifo', [lock]), said: /neither a file nor a directory/ },
  'a directory with strays': { plant: (lock) => fill(lock, 'notes.txt', 'x'), said: /notes\.txt/ },
  'two owner files': {
    plant: (lock) => fill(lock, `owner.1.${LONG_AGO}.${ID}`, `owner.2.${LONG_AGO}.${ID}`), said: /more than one owner file/,
  },
  'a pipe for an owner file': {
    plant: (lock) => {
      mkdirSync(lock);
      execFileSync('mkfifo', [join(lock, `owner.1.${LONG_AGO}.${ID}`)]);
    },
    said: /owner\.1\..*neither a file/,
  },
  'a link for an owner file': {
    plant: (lock) => {
      mkdirSync(lock);
      symlinkSync('/etc/hostname', join(lock, `owner.1.${LONG_AGO}.${ID}`));
    },
    said: /owner\.1\..*a symbolic link/,
  },
  'a directory for an owner file': { plant: (lock) => mkdirSync(join(lock, `owner.1.${LONG_AGO}.${ID}`), { recursive: true }), said: /a directory/ },
  'an owner of another format': { plant: (lock) => fill(lock, 'owner.1.2'), said: /owner\.1\.2/ },
};

function fill(lock: string, ...names: string[]): void {
  mkdirSync(lock);
  for (const name of names) writeFileSync(join(lock, name), '{}');
}

describe('at the lock\'s place lies', () => {
  test.each(Object.entries(PLANTED))('M22 S7: %s: busy, and says so', async (_what, { plant, said }) => {
    const session = newSession();
    plant(`${session}.lock`);
    const before = picture(dirname(session));
    const report = await attempt(session);
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_BUSY' } });
    const { holder } = report.error as unknown as { holder: { remark?: string } };
    expect(holder.remark).toMatch(said);
    expect(picture(dirname(session))).toEqual(before);
  });

  test.each([
    ['malformed', '{"pid":"x","labels":[1],'], ['of another kind', '[1,2]'], ['empty', ''], ['huge', 'x'.repeat(300_000)],
  ])('M22 M14: an owner record that is %s: busy until its end, then taken over', async (_what, content) => {
    const session = newSession();
    fill(`${session}.lock`, `owner.7.${LATER}.${ID}`);
    writeFileSync(join(`${session}.lock`, `owner.7.${LATER}.${ID}`), content);
    const report = await attempt(session);
    expect(report.error).toMatchObject({ code: 'LOCK_BUSY', holder: { token: 7, until: LATER, attemptId: null, pid: null } });

    const expired = newSession();
    fill(`${expired}.lock`, `owner.7.${LONG_AGO}.${ID}`);
    const file = join(`${expired}.lock`, `owner.7.${LONG_AGO}.${ID}`);
    writeFileSync(file, content);
    if (content.length > 1_000) truncateSync(file, 2 ** 31);
    const lease = await granted(localFileLocks(), expired, { floor: async () => 7 });
    expect(lease.token).toBeGreaterThan(7);
    const [status] = await localFileLocks().query(expired);
    expect(status?.holder).toMatchObject({ pid: process.pid, state: 'running.working' });
    await lease.release();
  });
});

describe('the way to the session', () => {
  test.each<[string, (home: string) => string, RegExp]>([
    ['is a directory itself', (home) => home, /expected a file to lock, got a directory/],
    ['leads through a file', (home) => {
      writeFileSync(join(home, 'file'), '');
      return join(home, 'file', 'session.jsonl');
    }, /ENOTDIR/],
    ['leads through a dangling link', (home) => {
      symlinkSync('nowhere', join(home, 'gone'));
      return join(home, 'gone', 'session.jsonl');
    }, /EEXIST|ENOENT/],
    ['has a name too long for a lock beside it', (home) => join(home, 'x'.repeat(254)), /ENAMETOOLONG/],
    ['has a file where our room should be', (home) => {
      writeFileSync(join(home, 'session.attempt'), 'mine');
      return join(home, 'session');
    }, /expected a directory/],
    ['has a file for a room, and an expired lock', (home) => {
      writeFileSync(join(home, 'session.attempt'), 'mine');
      fill(join(home, 'session.lock'), `owner.1.${LONG_AGO}.${ID}`);
      return join(home, 'session');
    }, /expected a directory/],
  ])('%s: an error that says so, and nothing touched', async (_what, prepare, said) => {
    const home = temporaryDirectory();
    const session = prepare(home);
    const before = picture(home);
    const report = await attempt(session);
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
    expect(report.error).toMatchObject({ code: expect.stringMatching(/LOCK_STORE_FAILED|SESSION_INVALID/) as string });
    expect(`${report.error} ${(report.error as Error).cause}`).toMatch(said);
    expect(picture(home)).toEqual(before);
  });

  test('is on a network: refused by default, or warned about', async () => {
    const session = newSession();
    const statfs = () => ({ type: 0x6969 });
    const report = await attempt(session, { statfs });
    expect(`${(report.error as Error).cause ?? report.error}`).toMatch(/on NFS/);
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
    expect(readdirSync(dirname(session))).toEqual([]);

    const warned = new Promise<Error>((resolve) => { process.once('warning', resolve); });
    const lease = await granted(localFileLocks({ statfs, unsafeFilesystem: 'warn' }), session);
    expect(await warned).toMatchObject({ code: 'ATTEMPT_UNSAFE_FILESYSTEM' });
    await lease.release();
  });

  test('S7: a link in place of the room is not followed: nothing is laid or cleared where it leads', async () => {
    const session = newSession();
    const home = temporaryDirectory();
    const theirs = ['new.project', `new.${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`, 'token.4', 'boot.old'];
    for (const name of theirs) writeFileSync(join(home, name), '');
    for (const name of theirs) utimesSync(join(home, name), 1, 1);
    symlinkSync(home, `${session}.attempt`);
    const before = picture(home);
    for (const waitMs of [0, 5_000]) {
      const report = await attempt(session, {}, waitMs);
      expect(report).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_STORE_FAILED' } });
      expect(`${(report.error as Error).cause}`).toMatch(/expected a directory, got a symbolic link; remove it/);
    }
    expect([picture(home), existsSync(`${session}.lock`)]).toEqual([before, false]);
  });

  test('L3: a directory under the name of a staged file, planted in the lock, locks nobody out, and is kept', async () => {
    const session = newSession();
    const locks = localFileLocks({ leaseMs: 2_000 });
    const plant = () => mkdirSync(join(`${session}.lock`, 'staged.x', 'theirs'), { recursive: true });
    const kept = (): number => readdirSync(`${session}.attempt`).filter((name) => name.endsWith('.staged.x')).length;
    const first = await granted(locks, session);
    plant();
    expect([await first.release(), existsSync(`${session}.lock`), kept()], 'given back').toEqual(['released', false, 1]);
    plant();
    utimesSync(`${session}.lock`, new Date(1_000), new Date(1_000));
    const second = await granted(locks, session);
    expect(kept(), 'an empty one replaced').toBe(2);
    plant();
    await localFileLocks().forceRelease(session, { token: second.token });
    expect([existsSync(`${session}.lock`), kept()], 'taken away').toEqual([false, 3]);
    expect(await second.release()).toBe('notHeld');
  });

  test('M06: cannot be written: a typed error, for a user who is not root', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('SKIPPED LOUDLY: needs root, to become another user');
    const home = temporaryDirectory();
    chmodSync(home, 0o755);
    const child = await contender([], { uid: 65_534 });
    expect(await child.asks('acquire', { session: join(home, 'session') })).toMatchObject({
      status: 'rejected', code: 'EACCES', error: expect.stringContaining('locks can be kept where one may write'),
    });
    expect(readdirSync(home)).toEqual([]);
  });

  test('M06 M15: full: a typed error, nothing half-made, and it works again when there is space', (context) => {
    if (process.getuid?.() !== 0) return context.skip('SKIPPED LOUDLY: needs root, to mount a small file system');
    return onSmallDisk(async (home, skip) => {
      if (!home) return context.skip(skip);
      const session = join(home, 'session');
      for (let size = 1_000_000; size >= 1; size = Math.floor(size / 2)) fillUp(join(home, `fill-${size}`), size);
      const before = picture(home);
      const report = await attempt(session);
      expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_STORE_FAILED' } });
      expect(`${(report.error as Error).cause}`).toMatch(/ENOSPC/);
      expect(picture(home).filter((name) => !name.startsWith('session.attempt '))).toEqual(before);
      execFileSync('rm', before.map((name) => join(home, name.split(' ')[0] ?? '')));
      await (await granted(localFileLocks(), session)).release();
    });
  });
});

function fillUp(path: string, size: number): void {
  try {
    writeFileSync(path, Buffer.alloc(size));
  } catch { /* full: that is the aim */ }
}

/** A file system with few blocks and few inodes, for as long as `fn` runs. */
async function onSmallDisk(fn: (home: string | null, skip: string) => Promise<void>): Promise<void> {
  const home = temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=12', 'attempt-test', home], { stdio: 'pipe' });
  } catch (error) {
    return fn(null, `SKIPPED LOUDLY: no mount here (${error})`);
  }
  onTestFinished(() => void execFileSync('umount', [home]));
  return fn(home, '');
}
