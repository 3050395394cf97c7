/**
 * What somebody else does right between two calls of a small step: it is noticed, or harms nobody.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { removeEmpty } from '../../../src/locks/file/lock-removal.js';
import { identityOf, isStill, occupantOf, type Occupant } from '../../../src/locks/file/occupant.js';
import { rewriteJson, writeJson } from '../../../src/locks/file/owner-entry.js';
import { makeRoom } from '../../../src/locks/file/permissions.js';
import { isTorn, takeTicket } from '../../../src/locks/file/tickets.js';
import { claimToken, readLedger } from '../../../src/locks/file/tokens.js';
import { aside, failing, withSteps } from '../../support/fs-steps.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { nameAs, OTHER, recordOf, setUp, UNTIL } from './own-hold.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

describe('S2: while a dead directory is being replaced, between what was staged in it and the look at it, it', () => {
  test.each<[string, (lock: string) => void]>([
    ['goes', (lock) => rmSync(lock, { recursive: true })],
    ['becomes another one', (lock) => {
      renameSync(lock, `${lock}.old`);
      mkdirSync(lock);
    }],
  ])('%s: then it is not ours', (_how, happens) => {
    const { own, places } = setUp();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, 'staged.x'), '');
    const seen = occupantOf(places.lock) as Occupant & { kind: 'empty' };
    const { result, error } = withSteps((name, _index, [path]) => {
      if (name === 'unlinkSync' && String(path).endsWith('staged.x')) aside(() => happens(places.lock));
    }, () => own.populate(recordOf(), UNTIL, seen));
    expect([error, result, own.isTaken]).toEqual([null, false, false]);
    expect(existsSync(places.lock) ? readdirSync(places.lock) : null).toEqual(_how === 'goes' ? null : []);
  });
});

test('S2: between the last look at a dead empty directory and its replacement there is no other call', () => {
  const { own, places, dead } = setUp();
  const seen = dead();
  const calls: string[] = [];
  const { result } = withSteps((name, _index, args) => {
    if (args.includes(places.lock)) calls.push(name);
  }, () => own.populate(recordOf(), UNTIL, seen));
  expect([result, calls.at(-1)]).toEqual([true, 'renameSync']);
  expect(calls.length, 'one look, and the rename').toBeLessThanOrEqual(3);
});

describe('where no directory is renamed onto another (Windows), our file is moved into the dead one, and', () => {
  function populated(happens: (lock: string) => void) {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
    onTestFinished(() => void Object.defineProperty(process, 'platform', platform));
    const { own, places, inside, dead } = setUp();
    const seen = dead();
    Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
    const run = withSteps((name, _index, [path]) => {
      if (name === 'renameSync' && String(path).includes('owner.')) aside(() => happens(places.lock));
    }, () => own.populate(recordOf(), UNTIL, seen));
    return { ...run, own, inside, ino: identityOf(places.lock)?.ino === seen.ino, room: readdirSync(places.room) };
  }

  test('L3: it is ours, and nothing stays in the room', () => {
    const { result, own, inside, ino, room } = populated(() => {});
    expect([result, own.isThere(), inside(), ino, room]).toEqual([true, true, [nameAs(0, UNTIL)], true, []]);
  });

  test('S2: somebody else\'s file is in it by then: it is not ours, and ours goes', () => {
    const theirs = nameAs(3, UNTIL, OTHER);
    const { result, own, inside, room } = populated((lock) => writeFileSync(join(lock, theirs), ''));
    expect([result, own.isTaken, inside(), room]).toEqual([false, false, [theirs], []]);
  });

  test('S2: it is gone by then: it is not ours', () => {
    const { result, error, own, room } = populated((lock) => rmSync(lock, { recursive: true }));
    expect([result, error, own.isTaken, room]).toEqual([false, null, false, []]);
  });
});

test('S2: a directory that goes between two looks is not that one any more', () => {
  const { places } = setUp();
  mkdirSync(places.lock);
  const seen = identityOf(places.lock);
  if (!seen) return expect.fail('it is there');
  let looks = 0;
  const { result, error } = withSteps((name) => {
    if (name === 'lstatSync' && (looks += 1) === 2) aside(() => rmSync(places.lock, { recursive: true }));
  }, () => isStill(places.lock, seen));
  expect([result, error]).toEqual([false, null]);
});

describe('S7: an end that found a stray, and then', () => {
  function ending(readdir: () => void) {
    const { places } = setUp();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, 'stray'), '');
    let removals = 0;
    const run = withSteps((name) => {
      if (name === 'rmdirSync') removals += 1;
      if (name !== 'readdirSync') return;
      aside(() => rmSync(join(places.lock, 'stray')));
      readdir();
    }, () => removeEmpty(places, () => 0));
    return { ...run, removals, left: existsSync(places.lock) };
  }

  test.each<[string, () => void]>([
    ['nothing, for somebody else has emptied it', () => {}], ['no directory', () => { throw failing('ENOENT'); }],
  ])('%s: it is somebody else\'s, and left to age', (_what, readdir) => {
    expect(ending(readdir)).toMatchObject({ error: null, removals: 1, left: true });
  });
});

test('S7: an end that is stopped once its owner file is gone leaves the empty directory, which may be a plain user\'s by now, to age', () => {
  const { own, places } = setUp();
  own.take(recordOf(), UNTIL, () => 0);
  const now = vi.spyOn(performance, 'now');
  onTestFinished(() => now.mockRestore());
  const began = performance.now();
  const { result, error } = withSteps((name) => {
    if (name === 'unlinkSync') now.mockReturnValue(began + 1_600);
  }, () => own.remove());
  expect([result, error, existsSync(places.lock)]).toEqual([true, null, true]);
});

test('L4: who is stopped after it took an open lock, and has lost it since, has not taken it: no error', () => {
  const { own, places } = setUp();
  mkdirSync(places.lock);
  const open = nameAs(0, 0, OTHER);
  writeFileSync(join(places.lock, open), '{}');
  let renamed = false;
  const { result, error } = withSteps((name) => {
    const [entry = ''] = aside(() => readdirSync(places.lock));
    if (renamed && name === 'openSync') aside(() => renameSync(join(places.lock, entry), join(places.lock, nameAs(9, 9, OTHER))));
    renamed ||= name === 'renameSync';
  }, () => own.takeOver(open, recordOf(), UNTIL));
  expect([result, error, own.isTaken, readdirSync(places.lock)]).toEqual([false, null, false, [nameAs(9, 9, OTHER)]]);
});

test('S7: a link in place of the room is no room', () => {
  const { home, places } = setUp();
  symlinkSync(home, places.room);
  for (const enter of [() => makeRoom(places), () => readLedger(places.room)]) expect(enter).toThrow('got a symbolic link; remove it');
});

test('L4: a ticket that cannot be opened just now is not torn', () => {
  const room = temporaryDirectory();
  const name = `wait.1.${OTHER}`;
  writeFileSync(join(room, name), '');
  expect([null, 'EMFILE', 'EACCES'].map((code) => withSteps((call) => {
    if (call === 'openSync' && code !== null) throw failing(code);
  }, () => isTorn(room, name, Date.now() + 20_000)).result)).toEqual([true, false, false]);
});

test('L4: a ticket that cannot be written whole is not left for others to wait for', () => {
  const room = temporaryDirectory();
  const { error } = withSteps((name) => {
    if (name === 'writeSync') throw failing('ENOSPC');
  }, () => takeTicket(room, OTHER, [], []));
  expect([error, readdirSync(room)]).toEqual([expect.objectContaining({ code: 'ENOSPC' }), []]);
});

test('S3: many claims of others in a row do not make a token jump', () => {
  const room = temporaryDirectory();
  writeFileSync(join(room, 'token.4'), '');
  const ledger = readLedger(room);
  let claims = 0;
  const { result } = withSteps((name) => {
    if (name === 'renameSync' && (claims += 1) < 60) throw failing('ENOENT');
  }, () => claimToken(room, ledger, 0));
  expect(result).toBe(5);
});

test('M22: a record is written over, never cut and then written: who reads in between finds one', () => {
  const path = join(temporaryDirectory(), 'record');
  writeJson(path, '{"long":"xxxxxxxxx"}', null);
  const calls: string[] = [];
  withSteps((name) => void calls.push(name), () => rewriteJson(path, '{}'));
  expect(calls).toEqual(['openSync', 'fstatSync', 'writeSync', 'closeSync']);
});
