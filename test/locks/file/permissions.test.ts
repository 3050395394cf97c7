/**
 * What we lay beside a session has the session's permissions, and an empty directory of ours tells that it is ours.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { OUR_MARK } from '../../../src/locks/file/occupant.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';

const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

describe.skipIf(process.platform === 'win32')('permissions', () => {
  test.each([[0o600, 0o700], [0o640, 0o750], [0o664, 0o775], [0o666, 0o777]])('a session of %o', async (file, directory) => {
    const session = newSession();
    writeFileSync(session, '');
    chmodSync(session, file);
    const lease = await granted(localFileLocks(), session);
    const lock = `${session}.lock`;
    const [owner = ''] = readdirSync(lock);
    expect([modeOf(lock), modeOf(join(lock, owner)), modeOf(`${session}.attempt`)]).toEqual([directory, file, directory]);
    const isMarked = (lstatSync(lock).mode & OUR_MARK) !== 0;
    expect(isMarked, 'where others may write, the mark would keep them from taking the lock over').toBe(file === 0o600 || file === 0o640);
    await lease.release();
  });

  test('L3 M15: an empty directory of ours is taken over in seconds, a plain user\'s is not', async () => {
    const three = new Date(Date.now() - 3_000);
    const leave = (session: string, mode: number): void => {
      mkdirSync(`${session}.lock`, { mode });
      utimesSync(`${session}.lock`, three, three);
    };
    const [ours, plain] = [newSession(), newSession()];
    leave(ours, OUR_MARK | 0o755);
    leave(plain, 0o755);
    expect(await ask(localFileLocks(), plain)).toMatchObject({ status: 'busy' });
    const lease = await granted(localFileLocks(), ours);
    await lease.release();
    expect(existsSync(`${ours}.lock`)).toBe(false);
  });

  test('L3 M15: one that waits for an empty directory of ours has it within seconds', async () => {
    const session = newSession();
    mkdirSync(`${session}.lock`, { mode: OUR_MARK | 0o755 });
    const young = new Date(Date.now() - 1_800);
    utimesSync(`${session}.lock`, young, young);
    const lease = await granted(localFileLocks(), session, { waitMs: 9_000 - 1_800 }); // less than a plain user's is believed in
    await lease.release();
  });
});
