/**
 * Where a session's lock lies, on what kind of file system, and with which permissions: asked part by part.
 */
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { checked } from '../../../src/locks/file/file-locks-options.js';
import { makeMarked, makeRoom, settleMode } from '../../../src/locks/file/permissions.js';
import { isFoundDead } from '../../../src/locks/file/proof-of-death.js';
import { FilesystemCheck } from '../../../src/locks/file/safe-filesystem.js';
import { placesOf, realSession, sessionIn, type Places } from '../../../src/locks/file/session-path.js';
import { temporaryDirectory } from '../../support/temporary.js';

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

/** What the process takes away from all it makes. */
const UMASK = process.umask();

describe('the places of a session', () => {
  test('S2: kept elsewhere, their names tell of which directory it is, though not how that is called', () => {
    const home = temporaryDirectory();
    const { lock, room } = placesOf(join(home, 'a-b.jsonl'), join(home, 'locks'), 'make');
    expect([lock, room].map((path) => sessionIn(home, basename(path)))).toEqual(['a-b.jsonl', 'a-b.jsonl']);
    expect(sessionIn(join(home, 'other'), basename(lock))).toBeNull();
    const strange = [`${basename(lock)}.old`, `x\n${basename(lock)}`, 'a-b.jsonl.lock', `a-b.jsonl-${'0'.repeat(16)}.lock`, 'reports'];
    expect(strange.map((entry) => sessionIn(home, entry))).toEqual(strange.map(() => null));
  });

  test('S2: beside it, or in a directory of their own, under a name that its real path gives', () => {
    const home = temporaryDirectory();
    const session = join(home, 'one', 's.jsonl');
    expect(placesOf(session, undefined, 'make')).toEqual({ session, lock: `${session}.lock`, room: `${session}.attempt`, mode: null });
    expect(readdirSync(home)).toEqual(['one']);
    const directory = join(home, 'locks', 'deep');
    const places = placesOf(session, directory, 'make');
    expect(places.lock).toMatch(/\/locks\/deep\/s\.jsonl-[0-9a-f]{16}\.lock$/);
    expect([places.session, places.room, places.mode]).toEqual([session, places.lock.replace(/lock$/, 'attempt'), null]);
    symlinkSync(directory, join(home, 'link'));
    expect(placesOf(session, join(home, 'link'), 'read'), 'however the directory is spelled').toEqual(places);
    expect(placesOf(join(home, 'two', 's.jsonl'), directory, 'read').lock).not.toBe(places.lock);
  });

  test('asking for them makes nothing, and gives the same answer', () => {
    const home = temporaryDirectory();
    const asked = placesOf(join(home, 'no', 'such', 's'), join(home, 'locks'), 'read');
    expect(readdirSync(home)).toEqual([]);
    expect(placesOf(join(home, 'no', 'such', 's'), join(home, 'locks'), 'make')).toEqual(asked);
    expect(readdirSync(home).sort()).toEqual(['locks', 'no']);
  });

  test('the permissions of a session are told, and nothing else of its mode', () => {
    const session = join(temporaryDirectory(), 's');
    writeFileSync(session, '');
    chmodSync(session, 0o4751);
    expect(placesOf(session, undefined, 'read').mode).toBe(0o751);
  });

  test('S2: a link leads to what is missing at its end; a chain of forty is a circle', () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'there'));
    symlinkSync('there/missing', join(home, 'l1'));
    for (let n = 2; n <= 45; n += 1) symlinkSync(`l${n - 1}`, join(home, `l${n}`));
    expect(realSession(join(home, 'l1'), 'read')).toBe(join(home, 'there', 'missing'));
    expect(realSession(join(home, 'l30'), 'make')).toBe(join(home, 'there', 'missing'));
    expect(() => realSession(join(home, 'l41'), 'read')).toThrow(/circle of symbolic links|ELOOP/);
    writeFileSync(join(home, 'file'), '');
    expect(() => realSession(join(home, 'file', 's'), 'read'), 'any other trouble').toThrow('ENOTDIR');
    symlinkSync('around', join(home, 'around'));
    for (const purpose of ['read', 'make'] as const) {
      expect(() => realSession(join(home, 'around'), purpose)).toThrow(/circle of symbolic links|ELOOP/);
    }
  });
});

describe('what is no session', () => {
  const invalid = expect.objectContaining({ code: 'SESSION_INVALID' }) as Error;

  test('S2: a directory, to lock or to ask about', () => {
    const home = temporaryDirectory();
    for (const purpose of ['read', 'make'] as const) expect(() => realSession(home, purpose)).toThrow(invalid);
  });

  test('S2: the name of a directory, which ends with /, where there is nothing: nothing is made; a file that is there is one', () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'file'), '');
    expect(realSession(`${home}/file/`, 'make')).toBe(join(home, 'file'));
    for (const name of ['none/', 'none/further/']) {
      for (const purpose of ['read', 'make'] as const) expect(() => realSession(`${home}/${name}`, purpose), name).toThrow(invalid);
    }
    expect(readdirSync(home)).toEqual(['file']);
  });

  test('S2: a file with two names, to lock; to ask about it is one', () => {
    const one = join(temporaryDirectory(), 'one');
    writeFileSync(one, '');
    expect(realSession(one, 'make')).toBe(one);
    linkSync(one, `${one}.two`);
    expect(realSession(one, 'read')).toBe(one);
    expect(() => realSession(one, 'make')).toThrow(invalid);
  });
});

describe('the kind of file system', () => {
  const checkOf = (type: number, policy: 'refuse' | 'warn' = 'refuse', platform = 'linux') => {
    const statfs = vi.fn(() => ({ type }));
    return { statfs, check: new FilesystemCheck(policy, statfs, platform) };
  };

  test.each([0x6969, 0x517b, 0xfe534d42, 0xfe534d42 | 0, 0x65735546])('S2: %i is refused, each time', (type) => {
    const { check, statfs } = checkOf(type);
    for (let time = 0; time < 2; time += 1) {
      expect(() => check.check('/d')).toThrow(expect.objectContaining({ code: 'UNSAFE_FILESYSTEM' }) as Error);
    }
    expect(statfs).toHaveBeenCalledTimes(2);
  });

  test('asked once for each directory, and again after a thousand others', () => {
    const { check, statfs } = checkOf(0xef53);
    for (let time = 0; time < 2; time += 1) for (let n = 0; n < 1_000; n += 1) check.check(`/d/${n}`);
    expect(statfs).toHaveBeenCalledTimes(1_000);
    check.check('/d/one more');
    check.check('/d/0');
    check.check('/d/one more');
    expect(statfs).toHaveBeenCalledTimes(1_002);
  });

  test('where the system does not tell kinds nothing is asked and nothing claimed', () => {
    const { check, statfs } = checkOf(0x6969, 'refuse', 'darwin');
    expect(() => check.check('/d')).not.toThrow();
    expect(statfs).not.toHaveBeenCalled();
  });
});

describe('permissions of what we lay down', () => {
  test.each([[0o600, 0o1700], [0o640, 0o1750], [0o644, 0o1755], [0o666, 0o1777], [0o751, 0o1751], [null, 0o1777]])(
    'a directory for a session of %o: who may read it may enter, who may write may make files', (mode, directory) => {
      const lock = join(temporaryDirectory(), 'lock');
      makeMarked(lock, mode);
      expect(modeOf(lock)).toBe(directory & ~UMASK);
      expect(() => makeMarked(lock, mode)).toThrow('EEXIST');
    });

  test.each<[string, number | null, number, number]>([
    ['what the process took away is given back', 0o666, 0o1700, 0o777],
    ['the mark stays where only we may write', 0o644, 0o1700, 0o1755],
    ['and goes where a group may', 0o664, 0o1755, 0o775],
    ['and where all may', 0o602, 0o1755, 0o702],
    ['what had no mark gets none', 0o600, 0o755, 0o700],
    ['of no session yet: as it was made', null, 0o1755, 0o1755],
    ['of no session yet, and others may write: only the mark goes', null, 0o1775, 0o775],
  ])('of a held lock: %s', (_what, session, made, settled) => {
    const lock = join(temporaryDirectory(), 'lock');
    mkdirSync(lock);
    chmodSync(lock, made);
    settleMode(lock, made, session);
    expect(modeOf(lock)).toBe(settled);
  });

  test('what need not change is not touched, and what cannot be changed is left', () => {
    const lock = join(temporaryDirectory(), 'lock');
    mkdirSync(lock);
    chmodSync(lock, 0o711);
    settleMode(lock, 0o1755, 0o644); // said to be right already
    expect(modeOf(lock)).toBe(0o711);
    expect(() => settleMode(join(lock, 'nowhere'), 0o700, 0o644)).not.toThrow();
  });

  test('a room is made as the session is, once; what is no directory is said to be in the way', () => {
    const home = temporaryDirectory();
    const places = (name: string, mode: number | null): Places => ({ session: 's', lock: 'l', room: join(home, name), mode });
    makeRoom(places('open', 0o664));
    expect(modeOf(join(home, 'open'))).toBe(0o775);
    makeRoom(places('open', 0o600));
    expect(modeOf(join(home, 'open')), 'made by others').toBe(0o775);
    makeRoom(places('plain', null));
    expect(modeOf(join(home, 'plain'))).toBe(0o777 & ~UMASK);
    writeFileSync(join(home, 'file'), '');
    expect(() => makeRoom(places('file', null))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }) as Error);
    expect(() => makeRoom(places('file', null))).toThrow(/file: expected a directory/);
    expect(() => makeRoom(places('file/room', null))).toThrow(expect.objectContaining({ code: 'ENOTDIR', syscall: 'mkdir' }) as Error);
  });
});

describe('options', () => {
  test('defaults: a lease of ten seconds, beside the session, and networks refused', () => {
    const { leaseMs, directory, filesystem } = checked({ statfs: () => ({ type: 0x6969 }) });
    expect([leaseMs, directory]).toEqual([10_000, undefined]);
    if (process.platform === 'linux') expect(() => filesystem.check('/d')).toThrow(/on NFS/);
    expect(checked({ leaseMs: 2_000, directory: 'd', unsafeFilesystem: 'warn' })).toMatchObject({ leaseMs: 2_000, directory: 'd' });
  });

  test.each([
    { leaseMs: 1_999 }, { leaseMs: Number.NaN }, { directory: '' }, { directory: 7 as never }, { unsafeFilesystem: 'ignore' as never },
    { statfs: 'x' as never },
  ])('%o cannot be', (options) => {
    expect(() => checked(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
  });
});

describe('a proof of death', () => {
  test('L3: of who lives it is asked again after a while; of who is dead at once; after a thousand others all is forgotten', () => {
    let now = 1_000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => void vi.restoreAllMocks());
    const room = temporaryDirectory();
    const look = vi.fn(() => false);
    const name = (n: number | string): string => `${room} ${n}`;
    expect([isFoundDead(name(0), look), isFoundDead(name(0), look)]).toEqual([false, false]);
    expect(look).toHaveBeenCalledTimes(1);
    now += 399;
    isFoundDead(name(0), look);
    expect(look).toHaveBeenCalledTimes(1);
    now += 1;
    isFoundDead(name(0), look);
    expect(look).toHaveBeenCalledTimes(2);
    now += 400;
    expect([isFoundDead(name(0), () => true), isFoundDead(name(0), () => true)]).toEqual([true, true]);
    isFoundDead(name('kept'), look);
    for (let n = 1; n <= 1_000; n += 1) isFoundDead(name(n), look);
    look.mockClear();
    isFoundDead(name('kept'), look);
    expect(look, 'forgotten').toHaveBeenCalledTimes(1);
    isFoundDead(name(1_000), look);
    expect(look, 'the last is not').toHaveBeenCalledTimes(1);
  });
});
