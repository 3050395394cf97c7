/**
 * The end of a lock of ours, and what proper-lockfile is told of it all.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { clearEntry, discardEmpty, discardStaged, removeEmpty, removeIf, removeOwner } from '../../../src/locks/file/lock-removal.js';
import { identityOf, type Occupant } from '../../../src/locks/file/occupant.js';
import { isHeldElsewhere, ownerFilesystem } from '../../../src/locks/file/owner-filesystem.js';
import { nameAs, OTHER, setUp } from './own-hold.js';

describe('given back', () => {
  test('S6: file and directory are gone; asked again it is not ours any more', () => {
    const { taken, places } = setUp();
    const own = taken();
    const { path } = own;
    expect([own.remove(), existsSync(places.lock), own.isTaken, own.remove()]).toEqual([true, false, false, false]);
    expect(own.path, 'where it was last').toBe(path);
  });

  test('S7: where somebody has taken it over nothing is touched', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    renameSync(own.path, join(places.lock, nameAs(2, 9_000, OTHER)));
    expect([own.remove(), inside(), own.isTaken]).toEqual([false, [nameAs(2, 9_000, OTHER)], false]);
  });

  test('S7: a successor who came between the file and the directory stays', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    mkdirSync(places.room);
    for (const name of [nameAs(2, 9_000, OTHER), 'stray']) writeFileSync(join(places.lock, name), '');
    expect([own.remove(), inside()]).toEqual([true, [nameAs(2, 9_000, OTHER), 'stray']]);
  });

  test('M08 S7: strays are kept in the room, what was staged is not', () => {
    const { taken, places } = setUp();
    const own = taken();
    mkdirSync(places.room);
    const long = `${'x'.repeat(100)}${'y'.repeat(40)}`;
    for (const name of ['staged.x', 'a stray', long]) writeFileSync(join(places.lock, name), name);
    expect([own.remove(), existsSync(places.lock)]).toEqual([true, false]);
    const kept = readdirSync(places.room).sort();
    expect(kept.map((name) => name.replace(/^litter\.\d+\.[0-9a-f]{8}\./, '')).sort()).toEqual(['a stray', 'y'.repeat(40)]);
  });

  test('M08: what is gone by the time it is to be cleared is no trouble, whatever its name', () => {
    const { taken, places } = setUp();
    const own = taken();
    mkdirSync(places.room);
    for (const name of ['staged.gone', 'gone']) expect(() => clearEntry(places, name)).not.toThrow();
    expect(readdirSync(places.room)).toEqual([]);
    expect(own.remove()).toBe(true);
  });

  test('S7: removed by its name, or by what matches; not another one, nor one that is not ours', () => {
    const { taken, places } = setUp();
    const own = taken();
    expect(removeOwner(places, nameAs(1, 1, OTHER))).toBe(false);
    expect(removeIf(places, ({ name }) => name.token === 3)).toBe('notHeld');
    own.renew(6_000, 3);
    expect([removeIf(places, ({ name }) => name.token === 3), existsSync(places.lock)]).toEqual(['released', false]);
    expect(removeIf(places, () => true)).toBe('notHeld');
    mkdirSync(places.lock);
    expect([removeIf(places, () => true), existsSync(places.lock)]).toEqual(['notHeld', true]);
  });

  test('S14: one that is renewed before each of our looks is looked for a hundred times, and then it is not known', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    const matches = vi.fn(() => own.renew(own.name.until + 1));
    expect([removeIf(places, matches), matches.mock.calls.length, inside().length]).toEqual(['unknown', 100, 1]);
    let looks = 0;
    expect(removeIf(places, () => (looks += 1) > 99 || own.renew(own.name.until + 1))).toBe('released');
  });

  test('S7: what is not there, or not empty, is left as it is', () => {
    const { places } = setUp();
    expect(() => removeEmpty(places, () => 0)).not.toThrow();
    writeFileSync(places.lock, '');
    expect(() => removeEmpty(places, () => 0)).not.toThrow();
    expect(existsSync(places.lock)).toBe(true);
  });

  test('what we made and could not populate goes, if it is that very directory', () => {
    const { places } = setUp();
    mkdirSync(places.lock);
    const made = identityOf(places.lock);
    if (!made) return expect.fail('it is there');
    discardEmpty(places.lock, { ...made, ino: made.ino + 1 });
    expect(existsSync(places.lock)).toBe(true);
    writeFileSync(join(places.lock, 'x'), '');
    expect(() => discardEmpty(places.lock, made)).not.toThrow();
    unlinkSync(join(places.lock, 'x'));
    discardEmpty(places.lock, made);
    expect(existsSync(places.lock)).toBe(false);
    mkdirSync(join(places.lock, 'deep'), { recursive: true });
    discardStaged(places.lock);
    expect(existsSync(places.lock)).toBe(false);
    expect(() => discardStaged(places.lock)).not.toThrow();
    expect(() => discardStaged('\0')).not.toThrow();
  });
});

describe('what proper-lockfile is told', () => {
  const empty: Occupant = { kind: 'foreign', what: 'x' };

  function steps(more: { seen?: Occupant; dead?: boolean; takes?: boolean } = {}) {
    const all = {
      take: vi.fn(), look: vi.fn((): Occupant => more.seen ?? { kind: 'none' }), isDead: vi.fn(() => more.dead ?? false),
      takeOver: vi.fn(() => more.takes ?? false), giveBack: vi.fn(),
    };
    return { ...all, fs: ownerFilesystem(all) };
  }

  test('S2: a free place is taken once; held, it is always fresh, and is given back', () => {
    const { fs, take, look, giveBack, takeOver } = steps();
    fs.mkdirSync();
    fs.mkdirSync();
    expect(Date.now() - fs.statSync().mtime.getTime()).toBeLessThan(1_000);
    fs.rmdirSync();
    expect([take, look, giveBack, takeOver].map((fn) => fn.mock.calls.length)).toEqual([1, 0, 1, 0]);
    expect([fs.realpathSync('p'), fs.utimesSync(), Object.getPrototypeOf(fs) as unknown]).toEqual(['p', undefined, null]);
  });

  test('S2: a place that could not be taken is not held', () => {
    const { fs, take, giveBack } = steps({ seen: empty });
    take.mockImplementation(() => { throw new Error('taken'); });
    expect(() => fs.mkdirSync()).toThrow('taken');
    expect(() => fs.rmdirSync()).toThrow('ENOENT');
    expect(giveBack).not.toHaveBeenCalled();
  });

  test('S2: nobody is ENOENT, a live one is fresh, a dead one as old as can be', () => {
    expect(() => steps().fs.statSync()).toThrow(expect.objectContaining({ code: 'ENOENT' }) as Error);
    expect(Date.now() - steps({ seen: empty }).fs.statSync().mtime.getTime()).toBeLessThan(1_000);
    expect(steps({ seen: empty, dead: true }).fs.statSync().mtime.getTime()).toBe(0);
  });

  test('L3: the very one that was seen is taken over; then it is held, and no directory is made', () => {
    const { fs, take, takeOver, giveBack } = steps({ seen: empty, dead: true, takes: true });
    fs.statSync();
    fs.rmdirSync();
    expect(takeOver.mock.calls).toEqual([[empty]]);
    fs.mkdirSync();
    fs.rmdirSync();
    expect([take.mock.calls.length, giveBack.mock.calls.length]).toEqual([0, 1]);
  });

  test('S2: "somebody else has it" is told from trouble', () => {
    expect(['ELOCKED', 'EEXIST', 'EIO'].map((code) => isHeldElsewhere(Object.assign(new Error(code), { code })))).toEqual([true, true, false]);
    expect(isHeldElsewhere(new Error('no code'))).toBe(false);
  });
});
