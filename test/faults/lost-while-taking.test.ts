/**
 * A taker that is stopped between taking the lock and telling its token, and loses it there. Found by the soak: it was
 * told `LOCK_BUSY` "within 120000 ms" after two seconds, though it had patience left and the lock was free.
 */
import { readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Somebody takes it over and gives it back once, while we ask the session for its tokens under the lock. */
async function acquireLosing(waitMs: number) {
  const session = join(temporaryDirectory(), 's.jsonl');
  let left = 1;
  const tokenFloor = async (): Promise<number> => {
    if (left === 0) return 0;
    left -= 1;
    for (const entry of readdirSync(`${session}.lock`)) unlinkSync(join(`${session}.lock`, entry));
    rmdirSync(`${session}.lock`);
    return 0;
  };
  const answer = await localFileLocks({ leaseMs: 2_000 }).acquire({
    session, owner: 'us', waitMs, signal: new AbortController().signal, tokenFloor,
    info: { attemptId: 'us', state: 'acquiring.waiting', note: null, labels: {}, pid: process.pid, host: 'here' },
  });
  expect(left).toBe(0);
  return answer;
}

test('S14: lost again while it was taken: who has patience goes on waiting, and is granted', async () => {
  const answer = await acquireLosing(10_000);
  expect(answer).toMatchObject({ status: 'granted', lease: { token: 2 } });
  if (answer.status === 'granted') expect(await answer.lease.release()).toBe('released');
});

test('S14: one try is one try: busy', async () => {
  expect(await acquireLosing(0)).toEqual({ status: 'busy', holder: null });
});
