/**
 * What is seen at a lock's place, and what an owner file says: each kind, each field, and what is not believed.
 */
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempted } from '../../../src/locks/file/errno.js';
import type { FileLease } from '../../../src/locks/file/file-lease.js';
import { holderOf } from '../../../src/locks/file/holder.js';
import { identityOf, isSame, isStill, occupantAndRecord, occupantOf, recordOf } from '../../../src/locks/file/occupant.js';
import {
  nameOf, parseName, readJson, readRecord, rewriteRecord, writeJson, writeRecord, type OwnerRecord,
} from '../../../src/locks/file/owner-entry.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import { processMark } from '../../../src/owner.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const OTHER = ID.replace('0', '1');
const RECORD: OwnerRecord = {
  ...processMark(), boot: 'b', pidNamespace: 'n', started: '7',
  id: ID, session: 's', owner: 'o', attemptId: 'a', since: 5, leaseMs: 2_000, state: 'running', note: 'n', labels: { l: 'v' },
  supersedable: false,
};

function lockOf(...entries: string[]): string {
  const lock = join(temporaryDirectory(), 's.lock');
  mkdirSync(lock);
  for (const entry of entries) writeFileSync(join(lock, entry), '');
  return lock;
}

describe('the name of an owner file', () => {
  test('S1: is the lease: token, end, acquisition; the end is never told too early', () => {
    expect(nameOf({ token: 3, until: 7.2, id: ID })).toBe(`owner.3.8.${ID}`);
    expect(parseName(`owner.3.8.${ID}`)).toEqual({ token: 3, until: 8, id: ID });
    const others = [
      `xowner.3.8.${ID}`, `owner.3.8.${ID}x`, `owner.3.8.${ID.slice(1)}`, `owner..8.${ID}`, `owner.3..${ID}`, 'owner.3.8',
      `owner.12345678901234567.8.${ID}`, `owner.3.12345678901234567.${ID}`, `owner.x.8.${ID}`, '',
    ];
    expect(others.map(parseName)).toEqual(others.map(() => null));
  });
});

describe('who is there', () => {
  test('nobody, an owner, an empty directory, or something else', () => {
    expect(occupantOf(join(temporaryDirectory(), 's.lock'))).toEqual({ kind: 'none' });
    const entry = `owner.3.8.${ID}`;
    expect(occupantOf(lockOf(entry, 'staged.x', 'a stray'))).toEqual({ kind: 'owner', entry, name: { token: 3, until: 8, id: ID } });
    const empty = lockOf('staged.x');
    chmodSync(empty, 0o1750);
    const { ino, birthtimeMs, mtimeMs } = lstatSync(empty);
    expect(occupantOf(empty)).toEqual({ kind: 'empty', staged: ['staged.x'], ino, birthtimeMs, mtimeMs, mode: 0o1750 });
    expect(occupantOf(lockOf())).toMatchObject({ kind: 'empty', staged: [] });
    expect(occupantOf(lockOf('staged.x', 'notes'))).toEqual({ kind: 'foreign', what: 'a directory with notes in it' });
    expect(occupantOf(lockOf(entry, `owner.4.8.${OTHER}`))).toMatchObject({ kind: 'foreign' });
  });

  test.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, '')],
    ['a symbolic link', (path) => symlinkSync('nowhere', path)],
    ['neither a file nor a directory', (path) => execFileSync('mkfifo', [path])],
  ])('%s is respected', (what, plant) => {
    const path = join(temporaryDirectory(), 's.lock');
    plant(path);
    expect(occupantOf(path)).toEqual({ kind: 'foreign', what });
    expect(identityOf(path)).toBeNull();
    rmSync(path);
    const lock = lockOf();
    plant(join(lock, `owner.3.8.${ID}`));
    expect(occupantOf(lock).kind).toBe(what === 'a file' ? 'owner' : 'foreign');
  });

  test('a directory in the place of an owner file is said to be one', () => {
    const lock = lockOf();
    mkdirSync(join(lock, `owner.3.8.${ID}`));
    expect(occupantOf(lock)).toMatchObject({ what: expect.stringMatching(/which is a directory$/) as string });
  });

  test('a path that leads through a file is an error, not a free place', () => {
    const lock = lockOf('file');
    expect(() => occupantOf(join(lock, 'file', 's.lock'))).toThrow('ENOTDIR');
  });

  test('S2: a directory is told from another at its place, and from itself before something was made in it', () => {
    const lock = lockOf();
    const seen = identityOf(lock);
    if (!seen) return expect.fail('there is one');
    expect([isSame(lock, seen), isStill(lock, seen)]).toEqual([true, true]);
    utimesSync(lock, new Date(1_000), new Date(1_000));
    expect([isSame(lock, seen), isStill(lock, seen)]).toEqual([true, false]);
    expect(isSame(lock, { ...seen, ino: seen.ino + 1 })).toBe(false);
    expect(isSame(lock, { ...seen, birthtimeMs: seen.birthtimeMs + 1 })).toBe(false);
    expect(isStill(lock, { ...seen, ino: seen.ino + 1, mtimeMs: 1_000 })).toBe(false);
    rmSync(lock, { recursive: true });
    expect([isSame(lock, seen), isStill(lock, seen), identityOf(lock)]).toEqual([false, false, null]);
  });
});

describe('what an owner file says', () => {
  const write = (content: unknown): string => {
    const path = join(temporaryDirectory(), 'record');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  test('M22: every field comes back as it was written', () => {
    const path = join(temporaryDirectory(), 'record');
    writeRecord(path, RECORD, null);
    expect(readRecord(path)).toEqual(RECORD);
    expect(() => writeRecord(path, RECORD, null)).toThrow('EEXIST');
  });

  test('M22: a field of the wrong kind is left out, and the others are believed', () => {
    const numbers = Object.fromEntries(Object.keys(RECORD).map((key) => [key, [1]]));
    expect(readRecord(write(numbers))).toEqual({ labels: {} });
    expect(readRecord(write({ ...RECORD, pid: '1', since: 'x', owner: 7 }))).toEqual({
      ...RECORD, pid: undefined, since: undefined, owner: undefined,
    });
    expect(readRecord(write('{"pid":1e999,"leaseMs":1e999,"supersedable":1,"labels":7}'))).toEqual({ labels: {} });
    expect(readRecord(write('{"labels":null,"supersedable":true}'))).toEqual({ labels: {}, supersedable: true });
  });

  test('M22: of labels those that are text, at most 32', () => {
    const labels = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`l${n}`, n === 3 ? 3 : 'v']));
    const found = readRecord(write({ labels }))?.labels ?? {};
    expect([Object.keys(found).length, 'l3' in found, 'l32' in found, 'l33' in found]).toEqual([32, false, true, false]);
  });

  test('M22: more than fits the small buffer is read whole, up to a bound', () => {
    const long = { ...RECORD, note: 'x'.repeat(10_000) };
    expect(readRecord(write(long))).toEqual(long);
    const exact = JSON.stringify({ note: '' }).length;
    for (const length of [4_096, 4_095, 4_097]) {
      const note = 'y'.repeat(length - exact);
      expect(readRecord(write({ note }))).toMatchObject({ note });
    }
    expect(readRecord(write({ note: 'z'.repeat(128 * 1_024) }))).toBeNull();
  });

  test.each([
    ['no JSON', '{"a":'], ['null', 'null'], ['a number', '7'], ['a text', '"x"'], ['an empty file', ''],
  ])('%s is nothing', (_what, content) => {
    expect([readJson(write(content)), readRecord(write(content))]).toEqual([null, null]);
  });

  test('S7: no link is followed and no pipe waited for, to read or to write', () => {
    const home = temporaryDirectory();
    const target = join(home, 'target');
    writeFileSync(target, '{"a":1}');
    symlinkSync(target, join(home, 'link'));
    execFileSync('mkfifo', [join(home, 'pipe')]);
    expect([readJson(join(home, 'link')), readJson(join(home, 'pipe')), readJson(target)]).toEqual([null, null, { a: 1 }]);
    for (const name of ['link', 'pipe', 'nowhere']) expect(() => rewriteRecord(join(home, name), RECORD), name).toThrow();
    expect(() => writeRecord(join(home, 'link'), RECORD, null)).toThrow('EEXIST');
    expect(readFileSync(target, 'utf8')).toBe('{"a":1}');
  });

  test('M22: rewritten it never becomes shorter, in bytes, unless nobody could read it', () => {
    const path = join(temporaryDirectory(), 'record');
    writeRecord(path, { ...RECORD, note: 'é'.repeat(500) }, null);
    const { size } = statSync(path);
    rewriteRecord(path, RECORD);
    expect([statSync(path).size, readRecord(path)]).toEqual([size, RECORD]);
    rewriteRecord(path, { ...RECORD, note: 'é'.repeat(600) });
    expect(statSync(path).size).toBe(size + 200);
    truncateSync(path, 50_000_000);
    rewriteRecord(path, RECORD);
    expect(readRecord(path)).toEqual(RECORD);
    expect(statSync(path).size).toBeLessThanOrEqual(128 * 1_024);
  });

  test('its permissions are the session\'s, whatever the process takes away; without a session, the process\'s own', () => {
    const home = temporaryDirectory();
    const modeAs = (name: string, mode: number | null): number => {
      writeJson(join(home, name), '{}', mode);
      return statSync(join(home, name)).mode & 0o777;
    };
    expect([modeAs('a', 0o666), modeAs('b', 0o600), modeAs('c', null)]).toEqual([0o666, 0o600, 0o666 & ~process.umask()]);
  });

  test('S7: a record counts for the acquisition that wrote it', () => {
    const lock = lockOf();
    const entry = `owner.3.8.${ID}`;
    writeRecord(join(lock, entry), RECORD, null);
    expect(recordOf(lock, occupantOf(lock))).toEqual(RECORD);
    expect(recordOf(lock, { kind: 'owner', entry, name: { token: 3, until: 8, id: OTHER } })).toBeNull();
    expect([recordOf(lock, { kind: 'none' }), recordOf(lockOf(), { kind: 'foreign', what: '' })]).toEqual([null, null]);
    expect(occupantAndRecord(lock)).toMatchObject({ occupant: { kind: 'owner', entry }, record: RECORD });
    expect(occupantAndRecord(lockOf(entry))).toMatchObject({ occupant: { kind: 'owner', entry }, record: null });
    expect(occupantAndRecord(lockOf())).toMatchObject({ occupant: { kind: 'empty' }, record: null });
  });
});

describe('the holder, as it is told', () => {
  function held(record: object | null, token = 3) {
    const places = placesOf(join(temporaryDirectory(), 's'), undefined, 'make');
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, `owner.${token}.8.${ID}`), record === null ? '' : JSON.stringify(record));
    return places;
  }
  const ours = (token: number): FileLease => ({ token, info: { state: 'cleaning', note: 'now' } }) as unknown as FileLease;

  test('M22: all that its record says', () => {
    const facts = { stateSince: 1, progressAt: 2 };
    const { pid, host } = RECORD;
    expect(holderOf(held(RECORD), undefined)).toEqual({
      attemptId: 'a', owner: 'o', token: 3, pid, host, since: 5, state: 'running', note: 'n', until: 8, labels: { l: 'v' },
      sameProcess: false, facts: null, supersedable: false,
    });
    expect(holderOf(held({ ...RECORD, facts }), undefined)?.facts).toMatchObject(facts);
  });

  test('M22: of one whose record cannot be read, what its name says', () => {
    expect(holderOf(held(null, 0), undefined)).toEqual({
      attemptId: null, owner: null, token: null, pid: null, host: null, since: null, state: null, note: null, until: 8, labels: {},
      sameProcess: false, facts: null,
    });
  });

  test('M22: our own knows its state and note better than the disk, if that is the very grant', () => {
    expect(holderOf(held(RECORD), ours(3))).toMatchObject({ sameProcess: true, state: 'cleaning', note: 'now' });
    expect(holderOf(held(RECORD), ours(4))).toMatchObject({ sameProcess: false, state: 'running', note: 'n' });
  });

  test('M22: of no lock nothing, of others\' that it is not ours and what lies there', () => {
    const places = held(RECORD);
    rmSync(places.lock, { recursive: true });
    expect(holderOf(places, undefined)).toBeNull();
    mkdirSync(places.lock);
    const nothing = { attemptId: null, owner: null, token: null, until: null, labels: {}, sameProcess: false };
    expect(holderOf(places, undefined)).toMatchObject({ ...nothing, remark: expect.stringMatching(/an empty lock directory/) as string });
    writeFileSync(join(places.lock, 'x'), '');
    expect(holderOf(places, undefined)).toMatchObject({ ...nothing, remark: expect.stringContaining('with x in it') as string });
  });
});

test('an error that is an answer is one, any other is thrown', () => {
  const failing = (error: unknown) => () => { throw error; };
  const gone = Object.assign(new Error('gone'), { code: 'ENOENT' });
  expect([attempted(() => {}, 'ENOENT'), attempted(failing(gone), 'EEXIST', 'ENOENT')]).toEqual([true, false]);
  expect(() => attempted(failing(gone), 'EEXIST')).toThrow('gone');
  expect(() => attempted(failing(new Error('no code')), 'EEXIST')).toThrow('no code');
});
