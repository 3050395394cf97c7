/**
 * A lock that is left open for those who wait, step by step: who gives it back so, who takes it, and who takes it away.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { holderOf } from '../../../src/locks/file/holder.js';
import { removeOpen } from '../../../src/locks/file/lock-removal.js';
import { occupantOf } from '../../../src/locks/file/occupant.js';
import type { Places } from '../../../src/locks/file/session-path.js';
import { isAwaited } from '../../../src/locks/file/tickets.js';
import { processMark } from '../../../src/owner.js';
import { newSession } from './contender.js';
import * as oneLease from './one-lease.js';
import { nameAs, OTHER, setUp } from './own-hold.js';
import { Contender, SharedClock } from './tries.js';

const OPEN = nameAs(0, 0);
const yes = (): boolean => true;

/** Somebody waits: a ticket of a process that lives, or did. */
function plantTicket(room: string, mark: object = processMark(), number = 1): string {
  mkdirSync(room, { recursive: true });
  const path = join(room, `wait.${number}.${randomUUID()}`);
  writeFileSync(path, JSON.stringify({ since: Date.now(), waiting: [], ...mark }));
  return path;
}
const GONE = { ...processMark(), pid: 2 ** 22 + 1 };

/** Nobody's lock, left open. */
function leftOpen({ lock, room }: Places): void {
  mkdirSync(room, { recursive: true });
  mkdirSync(lock);
  writeFileSync(join(lock, OPEN), '');
}

describe('left open', () => {
  test('S6: it is nobody\'s, and stays for who waits; asked again it is not ours any more', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    own.leaveOpen(yes);
    expect([inside(), own.isTaken]).toEqual([[OPEN], true]);
    expect(occupantOf(places.lock)).toEqual({ kind: 'open', entry: OPEN });
    expect(holderOf(places, undefined)).toBeNull();
    expect([own.remove(), inside(), own.remove()]).toEqual([true, [OPEN], false]);
  });

  test('L5: where nobody waits any more, which is asked once it is open, it is taken away', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    const seen: string[][] = [];
    own.leaveOpen(() => seen.push(inside()) === 0);
    expect(seen).toEqual([[OPEN]]);
    expect([own.remove(), existsSync(places.lock), own.remove()]).toEqual([true, false, false]);
  });

  test('S6 S7: taken just then it has been given back, and is another\'s', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    own.leaveOpen(() => {
      renameSync(join(places.lock, OPEN), join(places.lock, nameAs(2, 9_000, OTHER)));
      return false;
    });
    expect([own.remove(), inside()]).toEqual([true, [nameAs(2, 9_000, OTHER)]]);
  });

  test('S7: a plain lock that has come in its place meanwhile stays', () => {
    const { taken, places, inside } = setUp();
    const own = taken();
    own.leaveOpen(() => {
      unlinkSync(join(places.lock, OPEN));
      rmdirSync(places.lock);
      mkdirSync(places.lock);
      return true;
    });
    expect([own.remove(), existsSync(places.lock), inside()]).toEqual([true, true, []]);
  });

  test('S7: one that was lost, or never taken, is not', () => {
    const { taken, places, inside, own } = setUp();
    const asked = vi.fn(yes);
    own.leaveOpen(asked);
    expect(existsSync(places.lock)).toBe(false);
    taken();
    renameSync(own.path, join(places.lock, nameAs(2, 9_000, OTHER)));
    own.leaveOpen(asked);
    expect([own.remove(), inside()]).toEqual([false, [nameAs(2, 9_000, OTHER)]]);
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('who gives a lock back', () => {
  const asked = { isAwaited: yes };
  const leaving = (token: number) => {
    const leaveOpen = vi.fn<(isAwaited: () => boolean) => void>();
    return { leaveOpen, ...oneLease.setUp({ token, own: { leaveOpen }, ...asked }) };
  };

  test('leaves it open where others may wait, and then gives it back as always', async () => {
    const { lease, leaveOpen, unlock } = leaving(7);
    lease.expectLine();
    expect(await lease.release()).toBe('released');
    expect(leaveOpen.mock.calls).toEqual([[asked.isAwaited]]);
    expect(leaveOpen.mock.invocationCallOrder[0]).toBeLessThan(unlock.mock.invocationCallOrder[0] ?? 0);
  });

  test('hears of who comes while it holds it', async () => {
    const { lease, leaveOpen, room, beatIn } = leaving(7);
    mkdirSync(room);
    await beatIn(1); // from now on it listens
    const heard = vi.spyOn(lease, 'expectLine');
    plantTicket(room);
    await vi.waitUntil(() => heard.mock.calls.length > 0);
    expect(await lease.release()).toBe('released');
    expect(leaveOpen).toHaveBeenCalledOnce();
  });

  test.each([['nobody has been seen to wait', 7, false], ['its token is the eighth', 8, true], ['and the sixteenth', 16, true]])(
    'takes it away where %s', async (_why, token, waited) => {
      const { lease, leaveOpen, unlock } = leaving(token);
      if (waited) lease.expectLine();
      expect(await lease.release()).toBe('released');
      expect([leaveOpen.mock.calls.length, unlock.mock.calls.length]).toEqual([0, 1]);
    },
  );
});

describe('what is left open', () => {
  const found = (): { places: Places; next: Contender; inside: () => string[] } => {
    const next = new Contender('next', newSession(), new SharedClock());
    leftOpen(next.places);
    return { places: next.places, next, inside: () => readdirSync(next.places.lock) };
  };

  test.each([['who is in line', true], ['who makes one try', false]])('S2 L3: is taken at once by %s, as it is', async (_who, isInLine) => {
    const { places, next, inside } = found();
    const { ino } = lstatSync(places.lock);
    const lease = next.take(isInLine);
    if (!lease) throw new Error('it was not taken');
    expect(next.confirm(lease)).toBe(true);
    expect([lstatSync(places.lock).ino, inside()]).toEqual([ino, [expect.stringMatching(/^owner\.1\.[1-9]/)]]);
    expect(next.take(isInLine)).toBeNull();
    expect(await lease.release()).toBe('released');
  });

  test('is left so by a holder that others wait for, and by no other', async () => {
    const { places, next, inside } = found();
    plantTicket(places.room);
    const lease = next.acquire();
    lease?.expectLine();
    expect(await lease?.release()).toBe('released');
    expect(inside()).toEqual([expect.stringMatching(/^owner\.0\.0\./)]);
    expect(await next.acquire()?.release()).toBe('released');
    expect(existsSync(places.lock)).toBe(false);
  });

  test('L5: is taken away once nobody waits, or only who is gone; not before, and never another\'s', () => {
    const { places, inside } = found();
    const ticket = plantTicket(places.room);
    removeOpen(places);
    expect(inside()).toEqual([OPEN]);
    rmSync(ticket);
    plantTicket(places.room, GONE);
    removeOpen(places);
    expect(existsSync(places.lock)).toBe(false);
    removeOpen(places); // nothing there
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, nameAs(2, 9_000, OTHER)), '');
    removeOpen(places);
    expect(inside()).toEqual([nameAs(2, 9_000, OTHER)]);
  });

  test('is waited for by whoever is in line and not provably gone', () => {
    const { room } = setUp().places;
    expect(isAwaited(room), 'no room').toBe(false);
    const dead = plantTicket(room, GONE);
    expect([isAwaited(room), existsSync(dead)]).toEqual([false, false]);
    plantTicket(room, GONE);
    const living = plantTicket(room, processMark(), 2);
    plantTicket(room, GONE, 3);
    expect(isAwaited(room)).toBe(true);
    rmSync(living);
    expect(isAwaited(room)).toBe(false);
  });
});
