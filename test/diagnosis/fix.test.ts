/**
 * `fix()`: acts on what is proved and on nothing else, and is honest about what it changed.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { factsOf } from '../../src/diagnosis/facts.js';
import { fix } from '../../src/diagnosis/fix.js';
import { identity } from '../../src/owner.js';
import { deadMark, directory, LEASE_MS, picture, plant, plantWaiter } from './planted.js';

const canTell = identity().boot !== null && identity().started !== null;
if (!canTell) console.warn('SKIPPED: whether a process lives cannot be told here');
const it = test.skipIf(!canTell);

let dir: string;
let session: string;
beforeEach(() => {
  dir = directory();
  session = join(dir, 's');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('S7: the lock of a dead process is given back, dead places and directories go; what is not proved stays', async () => {
  plant(session, deadMark());
  plantWaiter(session, deadMark());
  const alive = plantWaiter(session, {});
  const room = `${session}.attempt`;
  mkdirSync(join(room, 'new.11234567-89ab-4cde-8f01-23456789abcd'));
  utimesSync(join(room, 'new.11234567-89ab-4cde-8f01-23456789abcd'), new Date(0), new Date(0));
  mkdirSync(join(room, 'new.21234567-89ab-4cde-8f01-23456789abcd')); // being prepared right now
  writeFileSync(join(room, 'litter.1'), 'somebody else\'s');
  const fixes = fix(await factsOf(session, undefined));
  expect(fixes.map(({ changed }) => changed)).toEqual([true, true, true]);
  expect(fixes[0]?.what).toMatch(/gave back the lock of attempt planted \(token 7\), whose process is gone/);
  expect(existsSync(`${session}.lock`)).toBe(false);
  expect(readdirSync(room).sort()).toEqual(['litter.1', 'new.21234567-89ab-4cde-8f01-23456789abcd', alive.split('/').at(-1)].sort());
  expect(fix(await factsOf(session, undefined)), 'a second time there is nothing to do').toEqual([]);
});

it.each<[string, () => unknown]>([
  ['a healthy holder', () => plant(session)],
  ['one that is late', () => plant(session, { leaseMs: 120_000 }, { until: Date.now() + 60_000 })],
  ['one in doubt', () => plant(session, {}, { until: Date.now() - 60_000 })],
  ['one of another host', () => plant(session, { host: 'far' }, { until: Date.now() - 60_000 })],
  ['one of another boot under its lease: two machines may have one name', () => plant(session, { boot: 'another' })],
  ['an owner file without a record', () => writeFileSync(plant(session), '')],
  ['an old empty directory', () => { mkdirSync(`${session}.lock`); utimesSync(`${session}.lock`, new Date(0), new Date(0)); }],
])('S7: %s is not touched', async (_, make) => {
  make();
  const before = picture(dir);
  expect(fix(await factsOf(session, undefined))).toEqual([]);
  expect(picture(dir)).toEqual(before);
});

it('one of another boot goes when its lease has ended as well', async () => {
  plant(session, { boot: 'another' }, { until: Date.now() - LEASE_MS });
  expect(fix(await factsOf(session, undefined))).toMatchObject([{ changed: true }]);
});

it('S7: who has taken the lock over since we looked keeps it, and the answer says that nothing was changed', async () => {
  const dead = plant(session, deadMark());
  const facts = await factsOf(session, undefined);
  renameSync(dead, dead.replace('owner.7.', 'owner.8.'));
  expect(fix(facts)).toMatchObject([{ changed: false, because: expect.stringContaining('quicker') as string }]);
  expect(readdirSync(`${session}.lock`)).toHaveLength(1);
});
