/**
 * Tickets of those who wait: in which order they are, what is believed of them, and when one goes.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  clearIfDead, isTorn, removeTicket, requeueTicket, rewriteTicket, takeTicket, ticketsAmong, waitersIn,
} from '../../../src/locks/file/tickets.js';
import { processMark } from '../../../src/owner.js';
import { temporaryDirectory } from '../../support/temporary.js';

const HOUR_MS = 3_600_000;
const id = (digit: string): string => `${digit}1234567-89ab-4cde-8f01-23456789abcd`;

function plant(room: string, content: object, number = 1): string {
  const name = `wait.${number}.${randomUUID()}`;
  writeFileSync(join(room, name), JSON.stringify(content));
  return name;
}

test('L4: in line by number, not by name; of equal numbers by id; what has another name is no ticket', () => {
  const tickets = [`wait.10.${id('a')}`, `wait.9.${id('b')}`, `wait.9.${id('a')}`, `wait.100.${id('0')}`];
  const others = [
    `await.1.${id('a')}`, `wait.1.${id('a')}.old`, `wait.x.${id('a')}`, 'wait.1.short', `wait.12345678901234567.${id('a')}`,
  ];
  expect(ticketsAmong([...others, ...tickets])).toEqual([tickets[2], tickets[1], tickets[0], tickets[3]]);
  expect(ticketsAmong(['token.1', `x.${id('a')}`, tickets[0] ?? ''])).toEqual([tickets[0]]);
});

test('L4: who comes takes a number behind all, and so does who goes to the end', () => {
  const room = temporaryDirectory();
  const one = takeTicket(room, id('1'), [], []);
  const two = takeTicket(room, id('2'), [one], []);
  const again = requeueTicket(room, one, id('1'), ticketsAmong(readdirSync(room)));
  expect([one, two, again]).toEqual([`wait.1.${id('1')}`, `wait.2.${id('2')}`, `wait.3.${id('1')}`]);
  expect(readdirSync(room).sort()).toEqual([two, again]);
});

test('M22: the first hundred who wait are named, and all are counted', () => {
  const room = temporaryDirectory();
  const many = Array.from({ length: 130 }, (_, n) => ({ attemptId: `a${n}`, since: n }));
  const ticket = takeTicket(room, id('1'), [], many);
  const { waiting, count, ...rest } = JSON.parse(readFileSync(join(room, ticket), 'utf8')) as Record<string, unknown>;
  expect([waiting, count]).toEqual([many.slice(0, 100), 130]);
  expect(rest).toMatchObject(processMark());
  rewriteTicket(room, ticket, [{ attemptId: 'x'.repeat(300), since: 7 }]);
  const { pid, host } = processMark();
  expect(waitersIn(room)).toEqual([{ attemptId: 'x'.repeat(200), since: 7, pid, host, sameProcess: true }]);
});

test('M22: of a stranger\'s ticket only what has the right shape is shown, at most a hundred', () => {
  const room = temporaryDirectory();
  const since = Date.now();
  const good = { attemptId: 'good', since: 5 };
  const waiting = [null, {}, { attemptId: 1, since: 1 }, { attemptId: 'no time' }, { attemptId: 'text', since: '1' }, good];
  plant(room, { pid: 7, since, waiting, host: 7, started: 7 });
  expect(waitersIn(room)).toEqual([{ ...good, pid: 7, host: '', sameProcess: false }]);
  plant(room, { pid: 8, since, host: 'h', waiting: Array.from({ length: 150 }, () => good) }, 2);
  expect(waitersIn(room)).toHaveLength(101);
  expect(waitersIn(room)[1]).toMatchObject({ pid: 8, host: 'h' });
  for (const broken of [{ pid: '7', since, waiting }, { pid: 7, since: 'x', waiting }, { pid: 7, since, waiting: { length: 1 } }]) {
    const ticket = plant(room, { ...broken, host: 'another' }, 3);
    expect(clearIfDead(room, ticket), 'not one of ours, so nothing is known of it').toBe(false);
  }
  expect(waitersIn(room)).toHaveLength(101);
});

test('L7 M15: a ticket that says nothing, of a kill or a full disk, goes when it is old; what is no plain file stays', () => {
  const room = temporaryDirectory();
  const torn = `wait.1.${id('1')}`;
  writeFileSync(join(room, torn), '');
  expect([clearIfDead(room, torn), isTorn(room, torn, Date.now())], 'it may be being written').toEqual([false, false]);
  const other = `wait.2.${id('2')}`;
  mkdirSync(join(room, other));
  const whole = plant(room, { ...processMark(), since: Date.now(), waiting: [] }, 3);
  for (const name of [torn, other, whole]) utimesSync(join(room, name), 1, 1);
  expect([torn, other, whole].map((name) => isTorn(room, name, 11_001))).toEqual([true, false, false]);
  expect(isTorn(room, torn, 11_000)).toBe(false);
  expect(isTorn(room, 'wait.9.gone', 99_000)).toBe(false);
  const again = `wait.4.${id('4')}`; // not looked at before, so not believed
  renameSync(join(room, torn), join(room, again));
  expect([again, other, whole].map((name) => clearIfDead(room, name))).toEqual([true, false, false]);
  expect(readdirSync(room).sort()).toEqual([other, whole].sort());
});

test('M22: a ticket has the permissions of its session', () => {
  const room = temporaryDirectory();
  const [theirs = '', ours = ''] = [0o664, 0o600].map((mode, n) => takeTicket(room, id(`${n}`), [], [], mode));
  const modeOf = (ticket: string): number => statSync(join(room, ticket)).mode & 0o777;
  if (process.platform !== 'win32') {
    expect([modeOf(theirs), modeOf(ours)], 'whatever the umask').toEqual([0o664, 0o600]);
    expect(modeOf(takeTicket(room, id('8'), [], [], 0o444)), 'it is rewritten').toBe(0o644);
    expect(modeOf(takeTicket(room, id('9'), [], [], null)), 'as the process makes its files').toBe(0o666 & ~process.umask());
  }
});

test('M14: the same pid is the same process only if it has started at the same time', () => {
  const room = temporaryDirectory();
  const { started, ...mark } = processMark();
  const content = { ...mark, since: Date.now(), waiting: [{ attemptId: 'a', since: 1 }] };
  plant(room, { ...content, host: 'another', started: `${started}0` });
  plant(room, { ...content, host: 'another', started }, 2);
  plant(room, { ...content, pid: mark.pid + 1, host: 'another', started }, 3);
  plant(room, { ...content, host: 'another', started: 7 }, 4);
  expect(waitersIn(room).map(({ sameProcess }) => sameProcess)).toEqual([false, true, false, started === null]);
});

const US = processMark();
const DAY_OLD = Date.now() - 24 * HOUR_MS - 1_000;
const NEARLY = Date.now() - 23 * HOUR_MS;

test.runIf(process.platform === 'linux').each<[string, object, boolean]>([
  ['we ourselves, for however long', { ...US, since: DAY_OLD }, false],
  ['a process that has died', { ...US, pid: 2 ** 22 + 1, since: Date.now() }, true],
  ['one of another boot', { ...US, boot: 'another', since: Date.now() }, true],
  ['one of another boot of another host', { ...US, host: 'another', boot: 'another', since: NEARLY }, false],
  ['one of a boot it does not tell', { ...US, boot: undefined, since: NEARLY }, false],
  ['one of another host, for a day', { ...US, host: 'another', since: DAY_OLD }, true],
  ['one of another host, for less', { ...US, host: 'another', since: NEARLY }, false],
  ['one of another pid namespace, for a day', { ...US, pidNamespace: 'pid:[1]', since: DAY_OLD }, true],
  ['one of another pid namespace, for less', { ...US, pidNamespace: 'pid:[1]', since: NEARLY }, false],
  ['one that does not tell its start, for a day', { ...US, started: undefined, since: DAY_OLD }, true],
  ['one that does not tell its start, for less', { ...US, started: undefined, since: NEARLY }, false],
])('M14 L4: whose ticket goes, and whose does not: %s', (_who, mark, goes) => {
  const room = temporaryDirectory();
  const ticket = plant(room, { ...mark, waiting: [{ attemptId: 'a', since: 1 }] });
  expect(waitersIn(room)).toHaveLength(goes ? 0 : 1);
  expect([clearIfDead(room, ticket), existsSync(join(room, ticket))]).toEqual([goes, !goes]);
});

test('L4: a ticket that is not there is nobody\'s, and is not taken for dead; removing it again is no error', () => {
  const room = temporaryDirectory();
  expect(clearIfDead(room, `wait.1.${id('1')}`)).toBe(false);
  expect(() => removeTicket(room, `wait.1.${id('1')}`)).not.toThrow();
  mkdirSync(join(room, `wait.2.${id('1')}`));
  expect(() => removeTicket(room, `wait.2.${id('1')}`), 'another error is one').toThrow();
  expect(waitersIn(join(room, 'nowhere'))).toEqual([]);
});
