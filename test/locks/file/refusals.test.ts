/**
 * What each small step does when the disk refuses it, or answers differently at each look: what is let go, what is told,
 * and that no descriptor stays open.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { keepReport, lastReports } from '../../../src/locks/file/last-reports.js';
import { OwnLock } from '../../../src/locks/file/lock-directory.js';
import { discardEmpty, discardStaged, removeEmpty } from '../../../src/locks/file/lock-removal.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { identityOf, occupantAndRecord, occupantOf } from '../../../src/locks/file/occupant.js';
import { nameOf, readJson, rewriteJson, writeJson, type OwnerRecord } from '../../../src/locks/file/owner-entry.js';
import { makeRoom, settleMode } from '../../../src/locks/file/permissions.js';
import { ProcessLine } from '../../../src/locks/file/process-line.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import { clearIfDead, takeTicket } from '../../../src/locks/file/tickets.js';
import { claimToken, clearAbandoned, openLedger, readLedger } from '../../../src/locks/file/tokens.js';
import { processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { aside, failing, hooked, withSteps } from '../../support/fs-steps.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ask, granted } from './attempt.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const RECORD: OwnerRecord = {
  ...processMark(), id: ID, session: 's', owner: 'o', attemptId: 'a', since: 5, leaseMs: 2_000, state: 'running', note: null, labels: {},
};

/** Runs `fn` where each `call` fails. @returns what came of it, and how often each call was made */
function refused<R>(call: string, code: string, fn: () => R) {
  const made: Record<string, number> = {};
  const run = withSteps((name) => {
    made[name] = (made[name] ?? 0) + 1;
    if (name === call) throw failing(code);
  }, fn);
  return { ...run, made };
}

const newPlaces = () => placesOf(join(temporaryDirectory(), 's'), undefined, 'make');

describe('L5: no descriptor stays open', () => {
  test.each<[string, string, (path: string) => unknown]>([
    ['a record that cannot be read', 'readSync', (path) => readJson(path)],
    ['one that cannot be written', 'writeSync', (path) => writeJson(`${path}.new`, '{}', null)],
    ['one whose permissions cannot be set', 'fchmodSync', (path) => writeJson(`${path}.new`, '{}', 0o666)],
    ['one that cannot be rewritten', 'writeSync', (path) => rewriteJson(path, '{}')],
    ['one that cannot be looked at', 'fstatSync', (path) => rewriteJson(path, '{}')],
    ['reports that cannot be read', 'readSync', (path) => lastReports(join(path, '..'))],
    ['reports that cannot be looked at', 'fstatSync', (path) => lastReports(join(path, '..'))],
    ['a record that is read', 'none', (path) => readJson(path)],
    ['one that is written', 'none', (path) => writeJson(`${path}.new`, '{}', 0o600)],
    ['one that is rewritten', 'none', (path) => rewriteJson(path, '{}')],
    ['reports', 'none', (path) => lastReports(join(path, '..'))],
    ['a ticket', 'none', (path) => takeTicket(join(path, '..'), ID, [], [])],
    ['tokens', 'none', (path) => claimToken(join(path, '..'), readLedger(join(path, '..')), 0)],
  ])('%s', (_what, call, act) => {
    const path = join(temporaryDirectory(), 'reports');
    writeFileSync(path, '{}');
    const { made } = refused(call, 'EIO', () => act(path));
    expect(made['openSync']).toBeGreaterThan(0);
    expect(made['closeSync']).toBe(made['openSync']);
  });
});

describe('tokens', () => {
  test('S1: a number that others always have first is told after a thousand rounds', () => {
    const room = temporaryDirectory();
    writeFileSync(join(room, 'token.4'), '');
    const ledger = readLedger(room);
    const { error, made } = refused('renameSync', 'ENOENT', () => claimToken(room, ledger, 0));
    expect(String(error)).toMatch(/tokens in a row/);
    expect(made['renameSync']).toBe(1_000);
    expect(refused('renameSync', 'EIO', () => claimToken(room, ledger, 0)).error).toMatchObject({ code: 'EIO' });
  });

  test('S3: a room with its first mark and no number is looked through fifty times', () => {
    const room = temporaryDirectory();
    writeFileSync(join(room, 'token.first'), '');
    const ledger = readLedger(room);
    const { made, error } = refused('none', '', () => claimToken(room, ledger, 0));
    expect([error, made['readdirSync']]).toEqual([null, 50]);
  });

  test('S1: a number that appears at a later look is claimed from', () => {
    const room = temporaryDirectory();
    writeFileSync(join(room, 'token.first'), '');
    const ledger = readLedger(room);
    let looks = 0;
    const { result } = withSteps((name) => {
      if (name === 'readdirSync' && (looks += 1) === 3) aside(() => writeFileSync(join(room, 'token.7'), ''));
    }, () => claimToken(room, ledger, 0));
    expect(result).toBe(8);
  });

  test('M06: a room that cannot be read is no new room; a name that cannot be removed harms nobody', () => {
    const places = newPlaces();
    makeRoom(places);
    const { error, made } = refused('readdirSync', 'EIO', () => openLedger(places));
    expect([error, made['mkdirSync']]).toEqual([expect.objectContaining({ code: 'EIO' }), undefined]);
    for (const name of ['token.3', 'token.4', 'boot.another', `new.${ID}`]) writeFileSync(join(places.room, name), '');
    utimesSync(join(places.room, `new.${ID}`), 1, 1);
    const ledger = readLedger(places.room);
    expect(refused('unlinkSync', 'EACCES', () => claimToken(places.room, ledger, 0)).result).toBe(5);
    expect(refused('rmSync', 'EACCES', () => clearAbandoned(places.room, ledger, 5_000)).error).toBeNull();
  });
});

describe('the line', () => {
  test('L4: a dead ticket that cannot be removed is not waited for all the same', () => {
    const room = temporaryDirectory();
    const ticket = `wait.1.${ID}`;
    writeFileSync(join(room, ticket), JSON.stringify({ ...processMark(), pid: 2 ** 22 + 1, since: Date.now(), waiting: [] }));
    expect(refused('unlinkSync', 'EACCES', () => clearIfDead(room, ticket)).result).toBe(process.platform === 'linux');
    expect(existsSync(join(room, ticket))).toBe(true);
  });

  test('L4: a ticket that cannot be taken, moved, told or given back keeps nobody from waiting', async () => {
    const places = newPlaces();
    const clock = new VirtualClock();
    const line = new ProcessLine(places, clock);
    const info = { attemptId: 'a', pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
    const leave = line.join(info);
    const tickets = readdirSync(places.room);
    expect(refused('renameSync', 'EIO', () => line.toTheEnd([...tickets, `wait.9.${ID}`])).error).toBeNull();
    expect(readdirSync(places.room)).toEqual(tickets);
    const left = refused('unlinkSync', 'EIO', leave);
    expect([left.error, line.isEmpty]).toEqual([null, true]);
    expect(refused('openSync', 'EIO', () => line.join(info)).error).toBeNull();
    expect(line.size).toBe(1);
  });
});

describe('a look at the lock', () => {
  function held(entry = nameOf({ token: 3, until: 8, id: ID })) {
    const places = newPlaces();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, entry), JSON.stringify(RECORD));
    return { ...places, entry };
  }

  test.each(['ENOENT', 'ENOTDIR'])('S2: %s while it is read: it is replaced just now, and looked at five times', (code) => {
    const { result, made } = refused('readdirSync', code, () => occupantOf(held().lock));
    expect([result?.kind, made['readdirSync']]).toEqual(['foreign', 5]);
    const { lock } = held();
    let looks = 0;
    const once = withSteps((name) => {
      if (name === 'readdirSync' && (looks += 1) < 5) throw failing(code);
    }, () => occupantOf(lock));
    expect(once.result?.kind).toBe('owner');
  });

  test('S2: another error is one', () => {
    const { lock } = held();
    expect(refused('readdirSync', 'EIO', () => occupantOf(lock)).error).toMatchObject({ code: 'EIO' });
  });

  test('S2: an owner file that is renamed between the names and the look is looked for again', () => {
    const { lock, entry } = held();
    const renewed = nameOf({ token: 3, until: 9, id: ID });
    let looks = 0;
    const { result } = withSteps((name) => {
      if (name === 'lstatSync' && (looks += 1) === 2) aside(() => renameSync(join(lock, entry), join(lock, renewed)));
    }, () => occupantOf(lock));
    expect(result).toMatchObject({ kind: 'owner', entry: renewed });
  });

  test('M22: one that renews between the look and the reading is read under its new name', () => {
    const { lock } = held();
    let until = 8;
    let reads = 0;
    const renewing = (times: number) => withSteps((name) => {
      if (name !== 'openSync' || (reads += 1) > times) return;
      aside(() => renameSync(join(lock, nameOf({ token: 3, until, id: ID })), join(lock, nameOf({ token: 3, until: until += 1, id: ID }))));
    }, () => occupantAndRecord(lock));
    expect(renewing(4).result?.record).toMatchObject({ attemptId: 'a' });
    expect(reads).toBe(5);
    reads = 0;
    expect(renewing(99).result).toMatchObject({ record: null, occupant: { kind: 'owner' } });
    expect(reads, 'and not for ever').toBe(5);
  });
});

describe('giving back', () => {
  function taken() {
    const places = newPlaces();
    const own = new OwnLock(places, ID);
    own.take(RECORD, 5_000, () => 0);
    return { places, own };
  }

  test('S6: a directory that cannot be removed now is removed when asked again', () => {
    const { places, own } = taken();
    expect(refused('rmdirSync', 'EIO', () => own.remove()).error).toMatchObject({ code: 'EIO' });
    expect([own.isTaken, own.isThere(), readdirSync(places.lock)]).toEqual([true, false, []]);
    expect(refused('rmdirSync', 'EIO', () => own.remove()).error).toMatchObject({ code: 'EIO' });
    expect([own.remove(), existsSync(places.lock), own.remove()]).toEqual([true, false, false]);
  });

  test('S7: and not if it has changed since: it may be somebody else\'s', () => {
    const { places, own } = taken();
    refused('rmdirSync', 'EIO', () => own.remove());
    utimesSync(places.lock, 1, 1);
    expect([own.remove(), existsSync(places.lock), own.isTaken]).toEqual([true, true, false]);
  });

  test('S6: a file that cannot be removed now is removed when asked again', () => {
    const { places, own } = taken();
    expect(refused('unlinkSync', 'EIO', () => own.remove()).error).toMatchObject({ code: 'EIO' });
    expect([own.isThere(), own.remove(), existsSync(places.lock)]).toEqual([true, true, false]);
  });

  test.each(['ENOENT', 'ENOTDIR'])('S7: what is gone when it is looked through is nobody\'s to remove: %s', (code) => {
    const { places } = taken();
    expect(refused('readdirSync', code, () => removeEmpty(places, () => 0)).error).toBeNull();
    expect(refused('readdirSync', 'EIO', () => removeEmpty(places, () => 0)).error).toMatchObject({ code: 'EIO' });
  });

  test('M08: strays that are gone meanwhile, or that come meanwhile, are no error', () => {
    const { places, own } = taken();
    rmSync(own.path);
    writeFileSync(join(places.lock, 'stray'), '');
    writeFileSync(join(places.lock, 'staged.x'), '');
    const { error } = withSteps((name, _index, [path]) => {
      if (name === 'renameSync' || (name === 'unlinkSync' && String(path).includes('staged.'))) aside(() => rmSync(String(path)));
      if (name === 'rmdirSync') aside(() => writeFileSync(join(places.lock, 'another'), ''));
    }, () => removeEmpty(places, () => 0));
    expect([error, existsSync(places.lock)]).toEqual([null, true]);
  });

  test('M07: what we made and cannot take back is left for its age; the first error is the one that is told', () => {
    const { places } = taken();
    const made = identityOf(places.lock);
    if (!made) return expect.fail('it is there');
    expect(refused('rmdirSync', 'EIO', () => discardEmpty(places.lock, made)).error).toBeNull();
    expect(refused('rmSync', 'EIO', () => discardStaged(places.lock)).error).toBeNull();
    expect(existsSync(places.lock)).toBe(true);
  });
});

test('a file system that keeps no permissions keeps a lock all the same', () => {
  const lock = temporaryDirectory();
  chmodSync(lock, 0o700);
  expect(refused('chmodSync', 'EPERM', () => settleMode(lock, 0o700, 0o666)).error).toBeNull();
  expect(statSync(lock).mode & 0o777).toBe(0o700);
});

test('M06: a room that cannot be made is an error as it comes', () => {
  const places = newPlaces();
  expect(refused('mkdirSync', 'EACCES', () => makeRoom(places)).error).toMatchObject({ code: 'EACCES' });
});

test('M06: a report that cannot be kept whole is told', () => {
  const room = temporaryDirectory();
  const kept = {
    token: 7, attemptId: 'one', pid: 1, host: 'h', outcome: 'completed', abortedBy: null, timeoutKind: null, lateAborts: [],
    lease: 'released', settled: true, abandoned: false, fencing: 'none', endedAt: 1, labels: {}, error: null, path: [],
    timings: { waitedMs: 0, heldMs: 1, ranMs: 1, abortToReleaseMs: null },
  };
  const { error, made } = refused('writeSync', 'ENOSPC', () => keepReport(room, kept));
  expect([error, made['closeSync']]).toEqual([expect.objectContaining({ code: 'ENOSPC' }), 1]);
  expect(refused('openSync', 'EACCES', () => lastReports(room)).result).toMatchObject({ reports: [], damaged: 0, problem: 'EACCES: injected' });
});

test('S14: that the lock is taken is an answer, whether or not it can be seen who has it', async () => {
  const { session, lock } = newPlaces();
  const lease = await granted(localFileLocks(), session);
  let looks = 0;
  const stop = hooked((name, _index, [path]) => {
    if (name === 'lstatSync' && path === lock && (looks += 1) > 1) throw failing('EIO'); // the first is the try's own
  });
  onTestFinished(stop);
  expect(await ask(localFileLocks(), session)).toEqual({ status: 'busy', holder: null });
  stop();
  expect(looks).toBe(2);
  await lease.release();
});
