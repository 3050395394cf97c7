/**
 * What the store of file locks is asked besides grants: it is answered for its own leases and for those of others.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { GRACE_MS } from '../../../src/locks/file/process-line.js';
import { processMark } from '../../../src/owner.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ask, granted } from './attempt.js';

const newSession = (): string => join(temporaryDirectory(), 's.jsonl');
const signal = new AbortController().signal;

function plantTicket(session: string, number: number): void {
  mkdirSync(`${session}.attempt`, { recursive: true });
  const content = { ...processMark(), since: Date.now(), waiting: [] };
  writeFileSync(join(`${session}.attempt`, `wait.${number}.${randomUUID()}`), JSON.stringify(content));
}

test('S6: releaseOwner ends a lease of its own at once, and one of another store on the disk', async () => {
  const session = newSession();
  const locks = localFileLocks();
  const own = await granted(locks, session);
  expect([await locks.releaseOwner(session, own.owner), await locks.query()]).toEqual(['released', []]);
  const theirs = await granted(localFileLocks(), session);
  expect([await locks.releaseOwner(session, 'nobody'), existsSync(`${session}.lock`)]).toEqual(['notHeld', true]);
  expect([await locks.releaseOwner(session, theirs.owner), existsSync(`${session}.lock`)]).toEqual(['released', false]);
});

test('S7: force ends the grant of another store, and not one that is under way', async () => {
  const session = newSession();
  const locks = localFileLocks();
  let answer = '';
  const lease = await granted(localFileLocks(), session, { floor: async () => {
    answer = await locks.forceRelease(session, { token: 0 });
    return 0;
  } });
  expect([answer, lease.token]).toEqual(['notHeld', 1]);
  expect(await locks.forceRelease(session, { token: 1 })).toBe('released');
  expect(existsSync(`${session}.lock`)).toBe(false);
});

test('a session with two names can be asked about, though it cannot be locked', async () => {
  const session = newSession();
  writeFileSync(session, '');
  linkSync(session, `${session}.two`);
  const locks = localFileLocks();
  expect((await locks.query(session))[0]?.holder).toBeNull();
  expect(await locks.releaseOwner(session, 'somebody')).toBe('notHeld');
  expect(await locks.forceRelease(session, { token: 1 })).toBe('notHeld');
  expect(await locks.askHolder?.(session, { token: 1, owner: null }, { as: 'user', by: 'us', signal })).toBe('notHeld');
});

test('S11: a request that nobody wants makes nothing', async () => {
  const home = temporaryDirectory();
  const info = { attemptId: 'a', pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
  const request = { session: join(home, 'no', 'such', 's'), owner: 'o', waitMs: 0, signal: AbortSignal.abort(), info };
  expect(await localFileLocks().acquire(request)).toEqual({ status: 'busy', holder: null });
  expect(readdirSync(home)).toEqual([]);
});

test('L4: one that waits elsewhere is let go first, for a while', async () => {
  const session = newSession();
  plantTicket(session, 1);
  const begun = performance.now();
  const lease = await granted(localFileLocks(), session, { waitMs: 20_000 });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(GRACE_MS - 1);
  await lease.release();
});

test('L4: what was passed on while nobody else waited does not count', async () => {
  const session = newSession();
  const locks = localFileLocks();
  let lease = await granted(locks, session);
  const all = Array.from({ length: 11 }, () => granted(locks, session, { waitMs: 20_000 }));
  await vi.waitFor(async () => expect((await locks.query(session))[0]?.waiting).toHaveLength(11), { interval: 1 });
  for (const [at, next] of all.entries()) {
    if (at === 9) plantTicket(session, 7);
    const isOwedToAll = lease.token % 8 === 0;
    await lease.release();
    const names = existsSync(`${session}.lock`) ? readdirSync(`${session}.lock`) : [];
    expect(names, `passed on, the time ${at}`).toEqual(isOwedToAll ? [] : [expect.stringMatching(/^owner\.[1-9]/)]);
    lease = await next;
  }
  await lease.release();
  expect(await ask(locks, session)).toMatchObject({ status: 'granted' });
  await locks.forceRelease(session, { token: 13 });
});
