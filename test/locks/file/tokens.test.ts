/**
 * Fencing tokens in files: unique, rising, never under what the session's records carry.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import { claimToken, clearAbandoned, glanceAt, openLedger, readLedger } from '../../../src/locks/file/tokens.js';
import { bootMark } from '../../../src/owner.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { granted } from './attempt.js';
import { newSession } from './contender.js';

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
  const [old, young] = ['1', '2'].map((n) => join(`${session}.attempt`, `new.${n}0000000-0000-4000-8000-000000000000`));
  for (const path of [old, young]) mkdirSync(path ?? '');
  writeFileSync(join(old ?? '', 'owner.0.1.x'), '{}');
  const long = new Date(Date.now() - 60_000);
  utimesSync(old ?? '', long, long);
  await next(session);
  expect([existsSync(old ?? ''), existsSync(young ?? '')]).toEqual([false, true]);
});

test('S3: a room says which numbers there are, of which boot, who waits, who asks, and what is being prepared', () => {
  const room = temporaryDirectory();
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  const names = [
    'token.10', 'token.9', 'token.first', `boot.${bootMark()}`, 'boot.another', `new.${id}`, `wait.2.${id}`, `wait.10.${id}`, `ask.3.user.${id}`,
    'litter.1', 'reports', 'xtoken.11', 'token.12x', 'renew.x', 'new.x', `new.${id}.txt`,
  ];
  for (const name of names) writeFileSync(join(room, name), '');
  expect(readLedger(room)).toEqual({
    highest: 10, numbers: [9, 10], current: true, oldMarks: ['boot.another'], prepared: [`new.${id}`],
    tickets: [`wait.2.${id}`, `wait.10.${id}`], asks: [`ask.3.user.${id}`],
  });
  rmSync(join(room, 'token.9'));
  rmSync(join(room, 'token.10'));
  expect(readLedger(room), 'a mark without a number says nothing').toMatchObject({ highest: 0, current: false });
});

test('S3: a look before the lock is taken makes nothing; under it the room is made, or what is in its way is said', () => {
  const places = placesOf(join(temporaryDirectory(), 's'), undefined, 'make');
  const nothing = { highest: 0, numbers: [], current: false, oldMarks: [], prepared: [], tickets: [], asks: [] };
  expect([glanceAt(places.room), existsSync(places.room)]).toEqual([nothing, false]);
  expect([openLedger(places), existsSync(places.room)]).toEqual([nothing, true]);
  writeFileSync(join(places.room, 'token.4'), '');
  expect([glanceAt(places.room).highest, openLedger(places).highest]).toEqual([4, 4]);
  rmSync(places.room, { recursive: true });
  writeFileSync(places.room, '');
  expect(glanceAt(places.room)).toEqual(nothing);
  expect(() => openLedger(places)).toThrow(/expected a directory/);
  expect(() => openLedger({ ...places, room: '\0' }), 'other trouble').toThrow(/null bytes/);
});

test('S3: a claim leaves its number, the mark of this boot, and no lower number', () => {
  const room = temporaryDirectory();
  for (const name of ['token.2', 'token.3', 'token.5', 'boot.another']) writeFileSync(join(room, name), '');
  expect(claimToken(room, readLedger(room), 0)).toBe(6);
  expect(readdirSync(room).sort()).toEqual([`boot.${bootMark()}`, 'token.6']);
  rmSync(join(room, `boot.${bootMark()}`));
  expect(claimToken(room, { ...readLedger(room), current: true }, 9), 'above the floor').toBe(10);
  expect(readdirSync(room), 'known to be of this boot: not marked again').toEqual(['token.10']);
});

test('S3: who was first and died before its number was there: time is above all that were counted', () => {
  const room = temporaryDirectory();
  writeFileSync(join(room, 'token.first'), '');
  const now = Date.now();
  const token = claimToken(room, readLedger(room), 0);
  expect(token).toBeGreaterThan(now);
  expect(token).toBeLessThanOrEqual(Date.now() + 1);
  rmSync(join(room, `token.${token}`));
  expect(claimToken(room, readLedger(room), 2 * now), 'and above the floor').toBe(2 * now + 1);
});

test('M15: what was being prepared goes when it is old enough, whatever is in it', () => {
  const room = temporaryDirectory();
  const ledger = (): ReturnType<typeof readLedger> => readLedger(room);
  const [file, full] = ['new.01234567-89ab-4cde-8f01-23456789abcd', 'new.11234567-89ab-4cde-8f01-23456789abcd'] as const;
  mkdirSync(join(room, full, 'deep'), { recursive: true });
  writeFileSync(join(room, file), '');
  for (const name of ledger().prepared) utimesSync(join(room, name), 1, 1);
  clearAbandoned(room, ledger(), 1_000);
  expect(ledger().prepared).toEqual([file, full]);
  const before = ledger();
  clearAbandoned(room, before, 1_001);
  expect(ledger().prepared).toEqual([]);
  expect(() => clearAbandoned(room, before, 1_001)).not.toThrow();
});
