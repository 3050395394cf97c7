/**
 * What wakes one that waits for a file lock: a change at the place it watches, or the time to look again; and what is
 * done when a lock that was taken is lost before it is granted.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { LOST_AGAIN, takeWithin } from '../../../src/locks/file/lost-again.js';
import { OUR_MARK } from '../../../src/locks/file/occupant.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import { GRACE_MS } from '../../../src/locks/file/process-line.js';
import { Turns, type Front } from '../../../src/locks/file/turns.js';
import { untilChanged } from '../../../src/locks/file/waiting.js';
import { processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { watchers } from '../../support/counting-clock.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const never = new AbortController().signal;

function setUp() {
  const clock = new VirtualClock();
  const places = placesOf(join(temporaryDirectory(), 's'), undefined, 'make');
  /** How long it sleeps if nothing wakes it, milliseconds. */
  const sleeps = async (front: string | null, lookAgainIn = Infinity, ms = 60_000): Promise<number> => {
    const begun = clock.time.now;
    const waiting = untilChanged({ places, front, lookAgainIn: () => lookAgainIn }, clock, ms, never);
    const inMs = clock.time.nextAt - begun;
    expect(await clock.toNextTimer()).toBe(true);
    await waiting;
    expect([clock.armed, watchers()], 'nothing stays armed').toEqual([0, 0]);
    return inMs;
  };
  return { clock, places, sleeps };
}

describe('the time to look again', () => {
  test('L3: half a second behind a watch, at once where nothing lies, faster where nothing can be watched', async () => {
    const { places, sleeps } = setUp();
    expect(await sleeps(null)).toBe(0);
    mkdirSync(places.lock);
    expect(await sleeps(null)).toBe(500);
    expect(await sleeps('wait.1.x'), 'a ticket that is gone').toBe(0);
    mkdirSync(places.room);
    writeFileSync(join(places.room, 'wait.1.x'), '');
    expect(await sleeps('wait.1.x')).toBe(500);
    expect(await sleeps('wait.1.x/below'), 'ENOTDIR: no watch').toBe(50);
  });

  test('L3: sooner when it is known when, never before now, and not beyond patience', async () => {
    const { places, sleeps } = setUp();
    mkdirSync(places.lock);
    expect([await sleeps(null, 70), await sleeps(null, -5), await sleeps(null, 900), await sleeps(null, 900, 30)]).toEqual([70, 0, 500, 30]);
  });
});

test('M20: a change of what it watches wakes it, and nothing stays armed', async () => {
  const { clock, places } = setUp();
  mkdirSync(places.lock);
  const waiting = untilChanged({ places, front: null, lookAgainIn: () => Infinity }, clock, 60_000, never);
  rmSync(places.lock, { recursive: true });
  await waiting;
  expect(clock.armed).toBe(0);
  await vi.waitFor(() => expect(watchers()).toBe(0), { interval: 1 });
});

describe('whose turn it is says what to wait for', () => {
  const front = (isSuspect: boolean): Front => ({ ticket: 'wait.1.x', isSuspect });
  async function sleeps(lock: 'free' | 'ours, empty' | 'of the dead', before: Front | null): Promise<number> {
    const { clock, places } = setUp();
    mkdirSync(places.room);
    writeFileSync(join(places.room, 'wait.1.x'), '');
    clock.wallNow = () => Date.now();
    if (lock === 'ours, empty') mkdirSync(places.lock, { mode: OUR_MARK | 0o755 });
    if (lock === 'of the dead') {
      mkdirSync(places.lock);
      writeFileSync(join(places.lock, `owner.3.${Date.now() + 60_000}.${ID}`), JSON.stringify({ ...processMark(), pid: 2 ** 22 + 1, id: ID }));
    }
    const turns = new Turns(clock, 10_000);
    const waiting = turns.untilChanged(places, before, 60_000, never);
    const inMs = clock.time.nextAt - clock.time.now;
    await clock.toNextTimer();
    await waiting;
    return inMs;
  }

  test('L4: behind one that lets a free lock lie: until it should have had it', async () => {
    expect(await sleeps('free', front(true))).toBe(GRACE_MS);
    if (process.platform === 'linux') expect(await sleeps('of the dead', front(true))).toBe(GRACE_MS);
  });

  test('L4: behind one whose turn it is not, or while the lock is held: until something happens', async () => {
    expect([await sleeps('free', front(false)), await sleeps('ours, empty', front(true))]).toEqual([500, 500]);
  });

  test('L3: first in line: until the lock may be taken', async () => {
    expect(await sleeps('free', null)).toBe(0);
    expect(await sleeps('ours, empty', null)).toBe(500);
  });

  test('L3: it may be taken a moment after the end of what lies there', async () => {
    const { clock, places } = setUp();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, `owner.3.${clock.wallNow() + 90}.${ID}`), '');
    const waiting = new Turns(clock, 2_000).untilChanged(places, null, 60_000, never);
    expect(clock.time.nextAt - clock.time.now, 'its end, what clocks drift apart, and one').toBe(90 + 30 + 1);
    await clock.toNextTimer();
    await waiting;
  });

  test('L3: a place that cannot be looked at is waited for as long as one is held', async () => {
    const { clock, places } = setUp();
    writeFileSync(places.session, '');
    const through = { ...places, lock: join(places.session, 'x.lock') };
    const waiting = new Turns(clock, 2_000).untilChanged(through, null, 60_000, never);
    expect(clock.time.nextAt - clock.time.now).toBe(50);
    await clock.toNextTimer();
    await waiting;
  });
});

describe('S14: taken, and lost again before it was granted', () => {
  const granted = { status: 'busy', holder: null } as const;

  test('is taken again with what is left of the patience', async () => {
    const clock = new VirtualClock();
    const take = vi.fn(async (_ms: number): Promise<typeof granted | typeof LOST_AGAIN> => granted);
    take.mockImplementationOnce(async () => {
      await clock.advance(300);
      return LOST_AGAIN;
    });
    expect(await takeWithin(clock, 1_000, () => true, take)).toBe(granted);
    expect(take.mock.calls).toEqual([[1_000], [700]]);
  });

  test.each([['nobody wants it any more', 0, false], ['patience is over', 1_000, true]])('is busy when %s', async (_when, passes, isWanted) => {
    const clock = new VirtualClock();
    const take = vi.fn(async (): Promise<typeof LOST_AGAIN> => {
      await clock.advance(passes);
      return LOST_AGAIN;
    });
    expect(await takeWithin(clock, 1_000, () => isWanted, take)).toEqual({ status: 'busy', holder: null });
    expect(take).toHaveBeenCalledTimes(1);
  });
});
