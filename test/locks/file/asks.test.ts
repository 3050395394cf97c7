/**
 * Asks to end as files: which are heard, when, and what is planted in their place.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftoversIn } from '../../../src/diagnosis/leftovers.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import type { LeaseNotice, LockStore } from '../../../src/locks/lock-store.js';
import { granted } from './attempt.js';
import { temporaryDirectory } from '../../support/temporary.js';

const asksIn = (session: string): string[] => readdirSync(`${session}.attempt`).filter((name) => name.startsWith('ask.'));

/** A holder here, in this process. */
async function held(locks: LockStore = localFileLocks()) {
  const session = join(temporaryDirectory(), 'session');
  const answer = await locks.acquire({
    session, owner: `asked/${randomUUID()}`, waitMs: 0, signal: new AbortController().signal, tokenFloor: async () => 0,
    info: { attemptId: 'asked', pid: process.pid, host: 'here', state: 'running.working', note: null, labels: {} },
  });
  if (answer.status !== 'granted') throw new Error(answer.status);
  const heard: LeaseNotice[] = [];
  answer.lease.onNotice((notice) => heard.push(notice));
  const plant = (as = 'user', token = answer.lease.token): string =>
    join(`${session}.attempt`, `ask.${token}.${as}.${randomUUID()}`);
  return { session, lease: answer.lease, heard, plant };
}

async function until(what: string, fact: () => boolean): Promise<void> {
  for (const begun = Date.now(); !fact();) {
    if (Date.now() - begun > 10_000) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

test('S2 S7: who gives back on hearing that it is asked, while it gives back, gives back once: the next keeps the lock', async () => {
  const locks = localFileLocks();
  const { session, lease, plant } = await held(locks);
  const answers: string[] = [];
  lease.onNotice(() => void lease.release().then((answer) => answers.push(answer)));
  await new Promise((resolve) => { setTimeout(resolve, 120); }); // it listens from its first beat on
  const waiting = granted(locks, session, { waitMs: 5_000 });
  writeFileSync(plant(), '{}');
  answers.push(await lease.release());
  const next = await waiting;
  expect(answers.sort()).toEqual(['notHeld', 'released']);
  expect(readdirSync(`${session}.lock`)).toEqual([expect.stringMatching(`^owner.${next.token}.`)]);
  expect(await next.release()).toBe('released');
});

test('S7: what is planted in place of an ask is neither heard, followed, waited for nor touched', async () => {
  const { session, lease, heard, plant } = await held();
  const secret = join(session, '..', 'secret');
  writeFileSync(secret, JSON.stringify({ by: 'a link' }));
  const planted = Array.from({ length: 4 }, () => plant());
  const [link, hard, directory, pipe] = planted as [string, string, string, string];
  symlinkSync(secret, link);
  linkSync(secret, hard);
  mkdirSync(directory);
  if (process.platform !== 'win32') execFileSync('mkfifo', [pipe]);
  writeFileSync(join(`${session}.attempt`, `ask.${lease.token}.root.${randomUUID()}`), '{"by":"no such kind"}');
  writeFileSync(join(`${session}.attempt`, `ask.${lease.token}.user.short`), '{"by":"no id"}');
  writeFileSync(plant('superseded'), '{"by":"a real one"}');
  await until('the real one', () => heard.length > 0);
  expect(heard).toEqual([{ type: 'superseded', by: 'a real one' }]);
  expect(planted.map((path) => existsSync(path))).toEqual([true, true, true, process.platform !== 'win32']);
  expect(await lease.release()).toBe('released');
});

test('S7: an ask of any content is heard by its name alone, bounded, and each kind is told once', async () => {
  const { session, lease, heard, plant } = await held();
  const huge = plant();
  writeFileSync(huge, '{"by":"');
  truncateSync(huge, 50 * 1024 * 1024);
  await until('the huge one', () => heard.length > 0);
  for (const content of ['', '[]', 'null', '{"by":7}', JSON.stringify({ by: 'x'.repeat(9_999), reason: 'y'.repeat(9_999) })]) {
    writeFileSync(plant('superseded'), content);
    writeFileSync(plant(), content);
  }
  await until('all to be removed', () => asksIn(session).length === 0);
  expect(heard.map(({ type }) => type).sort()).toEqual(['stopped', 'superseded']);
  for (const notice of heard) expect(JSON.stringify(notice).length).toBeLessThan(1_500);
  await lease.release();
});

test('M19 S17: asks for other grants are not heard; the next grant clears those that are over, doctor finds the rest', async () => {
  const locks = localFileLocks();
  const { session, lease, heard, plant } = await held(locks);
  const [ahead, mine] = [plant('user', 1_000), plant('superseded')];
  writeFileSync(ahead, '{"by":"a stranger"}');
  writeFileSync(mine, '{"by":"the right one"}');
  await until('the right one', () => heard.length > 0);
  expect(heard).toEqual([{ type: 'superseded', by: 'the right one' }]);
  await lease.release();
  const over = plant();
  writeFileSync(over, '{"by":"too late"}');
  const places = placesOf(session, undefined, 'read');
  expect(leftoversIn(places, Date.now()).map(({ path, proved }) => [path, proved]).sort()).toEqual([[over, true], [ahead, true]].sort());
  const next = await locks.acquire({
    session, owner: 'next', waitMs: 0, signal: new AbortController().signal,
    info: { attemptId: 'next', pid: process.pid, host: 'here', state: 'running.working', note: null, labels: {} },
  });
  expect(next).toMatchObject({ status: 'granted', lease: { token: 2 } });
  expect([existsSync(over), existsSync(ahead)]).toEqual([false, true]);
  if (next.status === 'granted') await next.lease.release();
});

/** inotify's own count: a watch that does not keep the process alive is not among Node's active resources. */
function watched(): number {
  return readdirSync('/proc/self/fdinfo').reduce((sum, fd) => {
    try {
      return sum + readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').split('\n').filter((line) => line.startsWith('inotify wd')).length;
    } catch {
      return sum; // closed while we looked
    }
  }, 0);
}

test('L5: a holder that listens watches one thing, and nothing when its lease is over', async () => {
  if (process.platform !== 'linux') return console.warn('SKIPPED: what is watched can be counted on Linux alone');
  const before = watched();
  const { lease, heard, plant } = await held();
  writeFileSync(plant(), '{"by":"us"}');
  await until('the ask', () => heard.length > 0);
  expect(watched()).toBe(before + 1);
  await lease.release();
  expect(watched()).toBe(before);
});

test('M04: what was asked until the lock is given back is heard, even if it is given back for a window only', async () => {
  const { lease, heard, plant } = await held();
  writeFileSync(plant('superseded'), '{"by":"the first"}');
  await until('the ask', () => heard.length > 0); // it listens
  writeFileSync(plant(), '{"by":"in the same tick"}');
  expect(await lease.release()).toBe('released');
  expect(heard.map(({ type }) => type)).toEqual(['superseded', 'stopped']);
});

test('L6: an ask laid before the holder listens is heard with its first beat', async () => {
  const { session, lease, heard, plant } = await held();
  writeFileSync(plant(), '{"by":"early"}'); // in the tick of the grant
  await until('the ask', () => heard.length > 0);
  expect(heard).toEqual([{ type: 'stopped', by: 'early', reason: null }]);
  expect(asksIn(session)).toEqual([]);
  await lease.release();
});
