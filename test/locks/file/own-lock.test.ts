/**
 * Our own hold on a lock directory, step by step as one process does it: taken, taken over, renewed, passed on; what each
 * step leaves, and what it must not touch. Every step meets every other one in `every-call.test.ts`.
 */
import {
  chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { identityOf, occupantOf, type Occupant } from '../../../src/locks/file/occupant.js';
import { readRecord, type OwnerRecord } from '../../../src/locks/file/owner-entry.js';
import { atOnce, ID, nameAs, OTHER, recordOf, setUp, UNTIL } from './own-hold.js';

describe('taking a free place', () => {
  test('S1: one owner file, without a token yet, with its record and the session\'s permissions', () => {
    const { places, own, inside } = setUp(0o640);
    expect([own.isTaken, own.isThere(), own.remove(), own.name]).toEqual([false, false, false, { token: 0, until: 0, id: ID }]);
    own.take(recordOf(), UNTIL, atOnce);
    expect([inside(), own.isTaken, own.isThere(), own.name.until]).toEqual([[nameAs(0, UNTIL)], true, true, UNTIL]);
    expect(own.path).toBe(join(places.lock, nameAs(0, UNTIL)));
    expect(readRecord(own.path)).toMatchObject({ attemptId: 'a' });
    expect(lstatSync(own.path).mode & 0o777).toBe(0o640);
    expect(lstatSync(places.lock).mode & 0o7777).toBe(0o1750);
    expect(existsSync(places.room)).toBe(false);
  });

  test('S2: not what somebody has, whatever it is', () => {
    for (const plant of [(path: string) => mkdirSync(path), (path: string) => writeFileSync(path, '')]) {
      const { places, own } = setUp();
      plant(places.lock);
      expect(() => own.take(recordOf(), UNTIL, atOnce)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
      expect([own.isTaken, existsSync(places.lock)]).toEqual([false, true]);
    }
  });

  test('S2: not after a standstill that is longer than an empty directory is believed in; it is left to age', () => {
    const { own, inside, places } = setUp();
    expect(() => own.take(recordOf(), UNTIL, () => 1_500)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
    expect([own.isTaken, existsSync(places.lock), inside()]).toEqual([false, true, []]);
    const shorter = setUp();
    shorter.own.take(recordOf(), UNTIL, () => 1_499);
    expect(shorter.own.isThere()).toBe(true);
  });

  test('S2: not when others have replaced the directory meanwhile: nothing of ours stays in theirs', () => {
    const { own, inside, places } = setUp();
    const replaced = (): number => {
      mkdirSync(`${places.lock}.theirs`);
      rmdirSync(places.lock);
      renameSync(`${places.lock}.theirs`, places.lock); // alive beside ours: another inode
      return 0;
    };
    // Asked right after ours was looked at: from then on theirs is there.
    expect(() => own.take(recordOf(), UNTIL, replaced)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
    expect([own.isTaken, existsSync(places.lock), inside()]).toEqual([false, true, []]);
  });

  test('S2: not when somebody else has entered it', () => {
    const { own, inside, places } = setUp();
    const theirs = nameAs(3, UNTIL, OTHER);
    const entered = (): number => {
      writeFileSync(join(places.lock, theirs), '');
      return 0;
    };
    expect(() => own.take(recordOf(), UNTIL, entered)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
    expect([own.isTaken, inside()]).toEqual([false, [theirs]]);
  });

  test('M08: a stray that somebody puts beside our file does not keep us out', () => {
    const { own, inside, places } = setUp();
    const strayed = (): number => {
      writeFileSync(join(places.lock, 'stray'), '');
      return 0;
    };
    own.take(recordOf(), UNTIL, strayed);
    expect(inside()).toEqual([nameAs(0, UNTIL), 'stray']);
  });

  test('S2: not when it was taken away before we entered: no directory is left', () => {
    const { own, places } = setUp();
    const away = (): number => {
      rmdirSync(places.lock);
      return 0;
    };
    expect(() => own.take(recordOf(), UNTIL, away)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error);
    expect([own.isTaken, existsSync(places.lock)]).toEqual([false, false]);
  });

  test('M07 S6: a throw in between leaves nothing', () => {
    const { own, places } = setUp();
    const broken = { toJSON: () => { throw new Error('no record'); } } as unknown as OwnerRecord;
    expect(() => own.take(broken, UNTIL, atOnce)).toThrow('no record');
    expect([own.isTaken, existsSync(places.lock)]).toEqual([false, false]);
  });
});

describe('populating a dead empty directory', () => {
  test('L3: it is replaced by one with our owner file, and nothing stays in the room', () => {
    const { own, places, inside, dead } = setUp(0o640);
    const before = dead();
    expect(own.populate(recordOf(), UNTIL, before)).toBe(true);
    expect([inside(), own.isThere(), readdirSync(places.room)]).toEqual([[nameAs(0, UNTIL)], true, []]);
    expect([identityOf(places.lock)?.ino === before.ino, lstatSync(places.lock).mode & 0o7777]).toEqual([false, 0o1750]);
  });

  test('S7: what a zombie staged in it goes first', () => {
    const { own, places, inside } = setUp();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, 'staged.x'), '');
    expect(own.populate(recordOf(), UNTIL, occupantOf(places.lock) as Occupant & { kind: 'empty' })).toBe(true);
    expect(inside()).toEqual([nameAs(0, UNTIL)]);
  });

  test.each<[string, (lock: string) => void]>([
    ['was touched since', (lock) => utimesSync(lock, 1, 1)],
    ['is gone', (lock) => rmSync(lock, { recursive: true })],
    ['is another one by now', (lock) => {
      mkdirSync(`${lock}.theirs`);
      renameSync(lock, `${lock}.old`);
      renameSync(`${lock}.theirs`, lock);
    }],
  ])('S2: not one that %s, staged files or not; nothing stays in the room', (_how, meanwhile) => {
    for (const staged of [[], ['staged.x']]) {
      const { own, places } = setUp();
      mkdirSync(places.lock);
      for (const name of staged) writeFileSync(join(places.lock, name), '');
      const seen = occupantOf(places.lock) as Occupant & { kind: 'empty' };
      meanwhile(places.lock);
      const before = existsSync(places.lock) ? readdirSync(places.lock) : null;
      expect(own.populate(recordOf(), UNTIL, seen)).toBe(false);
      expect([own.isTaken, readdirSync(places.room)]).toEqual([false, []]);
      expect(existsSync(places.lock) ? readdirSync(places.lock) : null, 'not touched').toEqual(before);
    }
  });

  test('M07: a throw in between leaves nothing in the room', () => {
    const { own, places, dead } = setUp();
    const broken = { toJSON: () => { throw new Error('no record'); } } as unknown as OwnerRecord;
    expect(() => own.populate(broken, UNTIL, dead())).toThrow('no record');
    expect([own.isTaken, readdirSync(places.room)]).toEqual([false, []]);
  });
});

describe('taking over', () => {
  function withDead() {
    const one = setUp();
    const entry = nameAs(4, 1, OTHER);
    mkdirSync(one.places.lock);
    for (const name of [entry, 'staged.x', 'stray']) writeFileSync(join(one.places.lock, name), '{}');
    return { ...one, entry };
  }

  test('L3 S7: the dead owner\'s file becomes ours, what it staged goes, what is not ours stays', () => {
    const { own, entry, inside } = withDead();
    expect(own.takeOver(entry, recordOf('new'), UNTIL)).toBe(true);
    expect([inside(), own.isThere()]).toEqual([[nameAs(0, UNTIL), 'stray'], true]);
    expect(readRecord(own.path)).toMatchObject({ attemptId: 'new' });
  });

  test('S2: not one that has a new name by now: it has revived, or somebody was quicker', () => {
    const { own, inside } = withDead();
    const before = inside();
    expect(own.takeOver(nameAs(4, 2, OTHER), recordOf(), UNTIL)).toBe(false);
    expect([inside(), own.isTaken]).toEqual([before, false]);
  });

  test('M06: a room that cannot be had costs the dead lock nothing', () => {
    const { own, entry, inside, places } = withDead();
    writeFileSync(places.room, '');
    const before = inside();
    expect(() => own.takeOver(entry, recordOf(), UNTIL)).toThrow(/expected a directory/);
    expect([inside(), own.isTaken]).toEqual([before, false]);
  });
});

describe('held', () => {
  test('L3: renewed by a new name, with the token when it is stated; not when it is gone', () => {
    const { taken, inside } = setUp();
    const own = taken();
    expect([own.renew(6_000), inside()]).toEqual([true, [nameAs(0, 6_000)]]);
    expect([own.renew(7_000, 9), inside(), own.name]).toEqual([true, [nameAs(9, 7_000)], { token: 9, until: 7_000, id: ID }]);
    expect([own.renew(8_000), inside()]).toEqual([true, [nameAs(9, 8_000)]]);
    unlinkSync(own.path);
    expect([own.renew(9_000), own.name.until, own.isThere(), own.isTaken]).toEqual([false, 8_000, false, true]);
  });

  test('M22: what it does now is told in its record, while it is there', () => {
    const own = setUp().taken();
    expect([own.retell(recordOf('b')), readRecord(own.path)?.attemptId]).toEqual([true, 'b']);
    unlinkSync(own.path);
    expect(own.retell(recordOf('c'))).toBe(false);
  });

  test('L4 S7: passed on under a token of its own; then the old one has nothing to give back', () => {
    const { taken, inside, places } = setUp();
    const own = taken();
    writeFileSync(join(places.lock, 'staged.x'), '');
    const next = own.passTo(OTHER, 8, 7_000);
    expect([inside(), next?.name, next?.isThere(), next?.id]).toEqual([
      [nameAs(8, 7_000, OTHER), 'staged.x'], { token: 8, until: 7_000, id: OTHER }, true, OTHER,
    ]);
    expect([own.isTaken, own.isThere(), own.remove(), inside().length]).toEqual([false, false, false, 2]);
    next?.clearStaged();
    expect(inside()).toEqual([nameAs(8, 7_000, OTHER)]);
    expect([next?.remove(), existsSync(places.lock)]).toEqual([true, false]);
  });

  test('S7: what is gone is not passed on', () => {
    const { taken, inside } = setUp();
    const own = taken();
    unlinkSync(own.path);
    expect([own.passTo(OTHER, 8, 7_000), inside()]).toEqual([null, []]);
  });

  test('an error that is no answer is thrown as it comes', () => {
    const { taken, places } = setUp();
    const own = taken();
    mkdirSync(join(places.lock, nameAs(0, 6_000), 'x'), { recursive: true });
    expect(() => own.renew(6_000)).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(own.isThere()).toBe(true);
  });
});

test('a directory that keeps its permissions is a lock all the same', () => {
  const { taken, places } = setUp(0o666);
  const own = taken();
  chmodSync(places.lock, 0o700);
  expect([own.renew(9_000), own.remove()]).toEqual([true, true]);
});
