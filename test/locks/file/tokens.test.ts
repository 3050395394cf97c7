/**
 * Fencing tokens in files: unique, rising, never under what the session's records carry.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { claimToken, readLedger } from '../../../src/locks/file/tokens.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { granted } from './attempt.js';
import { contender, newSession } from './contender.js';

const roomOf = (session: string): string[] => readdirSync(`${session}.attempt`).sort();

async function next(session: string, floor = 0): Promise<number> {
  const lease = await granted(localFileLocks(), session, { floor: async () => floor });
  await lease.release();
  return lease.token;
}

test('S1 S3: rise by one, and only the highest name stays', async () => {
  const session = newSession();
  for (let expected = 1; expected <= 10; expected += 1) expect(await next(session)).toBe(expected);
  expect(roomOf(session).filter((name) => /^token\.\d/.test(name))).toEqual(['token.10']);
  expect(roomOf(session)).toHaveLength(3);
});

test('S3: rise across crashes', async () => {
  const session = newSession();
  for (const expected of [1, 2]) {
    const child = await contender();
    expect(await child.asks('acquire', { session, waitMs: 10_000 })).toMatchObject({ token: expected });
    child.signal('SIGKILL');
    await child.ended;
  }
});

test('S3: names removed, or of another boot: the session is asked, once', async () => {
  const session = newSession();
  await next(session);
  const floor = vi.fn(async () => 41);
  await (await granted(localFileLocks(), session, { floor })).release();
  expect(floor, 'the names are of this boot: no need to ask').not.toHaveBeenCalled();

  rmSync(`${session}.attempt`, { recursive: true });
  expect(await next(session, 41)).toBe(42);

  const mark = roomOf(session).find((name) => name.startsWith('boot.')) ?? '';
  renameSync(join(`${session}.attempt`, mark), join(`${session}.attempt`, 'boot.another'));
  expect(await next(session, 99)).toBe(100);
  expect(roomOf(session).filter((name) => name.startsWith('boot.'))).toEqual([mark]);
  expect(await next(session, 1_000), 'known again').toBe(101);
});

test('S1: a lower floor does not lower the tokens', async () => {
  const session = newSession();
  await next(session, 500);
  rmSync(join(`${session}.attempt`, roomOf(session).find((name) => name.startsWith('boot.')) ?? ''));
  expect(await next(session, 3)).toBe(502);
});

test('S1: 30 racing claims in threads are 30 numbers', async () => {
  const room = temporaryDirectory();
  const module = new URL('../../../dist/src/locks/file/tokens.js', import.meta.url).href;
  const script = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.module).then(({ claimToken, readLedger }) => {
      Atomics.add(workerData.gate, 0, 1);
      while (Atomics.load(workerData.gate, 0) < 6);
      const first = readLedger(workerData.room);
      const tokens = [];
      for (let n = 0; n < 5; n += 1) tokens.push(claimToken(workerData.room, n % 2 ? readLedger(workerData.room) : first, 0));
      parentPort.postMessage(tokens);
    });`;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const claims = await Promise.all(Array.from({ length: 6 }, () => new Promise<number[]>((resolve, reject) => {
    const worker = new Worker(script, { eval: true, workerData: { module, room, gate } });
    worker.once('message', resolve).once('error', reject);
  })));
  // No lock here, and everybody prunes: so it holds for a holder that was stopped with an old ledger in its hand.
  for (const own of claims) expect(own).toEqual([...own].sort((a, b) => a - b));
  expect(new Set(claims.flat()).size).toBe(30);
});

test('S1: an outdated claimer gets a number nobody had, also one that knew of none', () => {
  const room = temporaryDirectory();
  const none = readLedger(room);
  const one = claimToken(room, none, 0);
  const old = readLedger(room);
  const later = [2, 3, 4].map(() => claimToken(room, readLedger(room), 0));
  expect([one, ...later, claimToken(room, none, 0), claimToken(room, old, 0)]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(readLedger(room).numbers).toEqual([6]);
});

test('S3: a strange name is no token, and the end of all numbers is said', () => {
  const room = temporaryDirectory();
  const notTokens = ['', 'x', '-3', '1.5', '1e3', '0x10', '07', '99999999999999999'];
  for (const rest of notTokens) writeFileSync(join(room, `token.${rest}`), '');
  expect(readLedger(room)).toMatchObject({ highest: 0, current: false });
  writeFileSync(join(room, `token.${Number.MAX_SAFE_INTEGER}`), '');
  expect(() => claimToken(room, readLedger(room), 0)).toThrow('no higher safe integer');
});

test('L5 M15: what a killed start prepared is removed by a later grant, what is being prepared is not', async () => {
  const session = newSession();
  await next(session);
  const [old, young] = ['new.old', 'new.young'].map((name) => join(`${session}.attempt`, name));
  for (const path of [old, young]) mkdirSync(path ?? '');
  writeFileSync(join(old ?? '', 'owner.0.1.x'), '{}');
  const long = new Date(Date.now() - 60_000);
  utimesSync(old ?? '', long, long);
  await next(session);
  expect([existsSync(old ?? ''), existsSync(young ?? '')]).toEqual([false, true]);
});
