/** The heart that beats for many stores: it reaches every lease, lets others have their turn, and stops with the last one. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../../../src/clock.js';
import { Leases, type Beating } from '../../../src/locks/heartbeat.js';

const MANY = 1_000;
/** So many are reached between two looks at the clock; a turn is over after so long, milliseconds. */
const [BETWEEN_LOOKS, TURN_MS] = [32, 10];

/** A clock on which work takes time, and timers wait until they are told to run, one by one. */
class BusyClock implements Clock {
  #now = 0;
  readonly #timers: { readonly fn: () => void; readonly due: number; readonly keep: string | undefined }[] = [];
  now = (): number => this.#now;
  wallNow = (): number => this.#now;
  sleeplessNow = (): number => this.#now;
  work(ms: number): void { this.#now += ms; }
  get armed(): number { return this.#timers.length; }
  get kept(): readonly (string | undefined)[] { return this.#timers.map(({ keep }) => keep); }

  setTimeout(fn: () => void, ms: number, keep?: 'background'): unknown {
    const timer = { fn, due: this.#now + ms, keep };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    expect(handle, 'a handle').not.toBeNull();
    const at = this.#timers.indexOf(handle as never);
    if (at >= 0) this.#timers.splice(at, 1);
  }

  /** Runs the timer that is due first. False if none is armed. */
  runNext(): boolean {
    const next = [...this.#timers].sort((one, other) => one.due - other.due)[0];
    if (!next) return false;
    this.clearTimeout(next);
    this.#now = Math.max(this.#now, next.due);
    next.fn();
    return true;
  }
}

/** @param eachMs so long each lease keeps the disk busy, milliseconds; as it is, a turn is over with the first look */
function many(
  clock: BusyClock, leases: Leases<Beating>, eachMs = TURN_MS / BETWEEN_LOOKS,
): { beats: number; readonly leases: readonly Beating[] } {
  const seen = { beats: 0, leases: [] as Beating[] };
  for (let n = 0; n < MANY; n += 1) {
    seen.leases.push({ beat: () => { seen.beats += 1; clock.work(eachMs); } });
  }
  seen.leases.forEach((lease) => leases.add(lease));
  return seen;
}

describe('one heart for many leases', () => {
  test('L3: a beat for thousands that are due together is cut into turns, and still reaches each of them', () => {
    const clock = new BusyClock();
    const seen = many(clock, new Leases<Beating>(clock, 10_000));
    clock.runNext(); // the first beat
    expect(seen.beats).toBe(BETWEEN_LOOKS);
    expect(clock.kept, 'neither keeps the process alive').toEqual(['background', 'background']);
    let turns = 1;
    while (seen.beats < MANY) {
      turns += 1;
      expect(clock.runNext()).toBe(true);
    }
    expect(seen.beats).toBe(MANY);
    expect(turns).toBeGreaterThan(10);
  });

  test('who costs no time is reached in one turn, however many there are', () => {
    const clock = new BusyClock();
    const seen = many(clock, new Leases<Beating>(clock, 10_000), 0);
    clock.runNext();
    expect([seen.beats, clock.armed]).toEqual([MANY, 1]);
  });

  test('L3: a beat that takes longer than until the next is due goes on: nobody is reached again before all have been', () => {
    const clock = new BusyClock();
    const leases = new Leases<Beating>(clock, 600);
    const beats = Array.from({ length: MANY / 10 }, () => 0);
    beats.forEach((_, at) => leases.add({ beat: () => { beats[at]! += 1; clock.work(TURN_MS); } }));
    clock.runNext();
    expect(beats.filter((count) => count > 0), 'the clock is looked at now and then').toHaveLength(BETWEEN_LOOKS);
    for (let turns = 0; beats.at(-1) === 0 && turns < MANY; turns += 1) clock.runNext();
    expect(new Set(beats)).toEqual(new Set([1]));
  });

  test('L5: a beat in which the last lease ends leaves no rest', () => {
    const clock = new BusyClock();
    const leases = new Leases<Beating>(clock, 10_000);
    const all = Array.from({ length: BETWEEN_LOOKS }, (_, at) => ({
      beat: () => { clock.work(TURN_MS); if (at === BETWEEN_LOOKS - 1) all.forEach((one) => leases.remove(one)); },
    }));
    all.forEach((one) => leases.add(one));
    clock.runNext();
    expect(clock.armed).toBe(0);
  });

  test('L5: with the last lease the rest of a beat ends, too', () => {
    const clock = new BusyClock();
    const leases = new Leases<Beating>(clock, 10_000);
    const seen = many(clock, leases);
    clock.runNext();
    const { beats } = seen;
    seen.leases.forEach((lease) => leases.remove(lease));
    expect(clock.armed).toBe(0);
    expect(clock.runNext()).toBe(false);
    expect(seen.beats).toBe(beats);
  });

  test('one timer serves all stores of a clock, as often as the shortest lease needs it', () => {
    const clock = new BusyClock();
    const [long, short] = [new Leases<Beating>(clock, 10_000), new Leases<Beating>(clock, 2_400)];
    const at: Record<'long' | 'short', number[]> = { long: [], short: [] };
    const [ours, theirs] = [{ beat: () => void at.long.push(clock.now()) }, { beat: () => void at.short.push(clock.now()) }];
    long.add(ours);
    expect(clock.armed).toBe(1);
    clock.runNext();
    clock.runNext();
    expect(at).toEqual({ long: [50, 550], short: [] });
    short.add(theirs);
    expect(clock.armed).toBe(1);
    clock.runNext(); // soon again: the one that came has to hear what it is asked
    clock.runNext();
    expect(at).toEqual({ long: [50, 550, 600, 1_000], short: [600, 1_000] });
    expect([...long, ...short]).toEqual([ours, theirs]);

    short.remove(theirs);
    short.remove(ours); // another store's: not ours to remove
    clock.runNext();
    expect(at.long).toHaveLength(5);
    expect(at.short).toHaveLength(2);
    long.remove(ours);
    expect(clock.armed).toBe(0);
  });

  test('a lease that comes while the heart beats already is reached with the next beat', () => {
    const clock = new BusyClock();
    const leases = new Leases<Beating>(clock, 10_000);
    const beats = { first: 0, second: 0 };
    leases.add({ beat: () => { beats.first += 1; } });
    clock.runNext();
    clock.work(300);
    leases.add({ beat: () => { beats.second += 1; } });
    expect(clock.armed).toBe(1);
    clock.runNext();
    expect(beats).toEqual({ first: 2, second: 1 });
    expect(clock.now(), 'and brings it no nearer').toBe(550);
  });

  test('M12: a lease whose beat throws (its client did) keeps none of another store from being renewed, and is told as a warning', () => {
    const clock = new BusyClock();
    const [one, other] = [new Leases<Beating>(clock, 10_000), new Leases<Beating>(clock, 2_000)];
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    let beats = 0;
    one.add({ beat: () => { throw new Error('no more channels'); } });
    other.add({ beat: () => { beats += 1; } });
    clock.runNext();
    clock.runNext();
    expect([beats, clock.armed]).toEqual([2, 1]);
    expect(warned.mock.calls.map(([text]) => text)).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('no more channels')));
  });

  test('how late a beat has come at most is told of all stores of a clock', () => {
    const clock = new BusyClock();
    const [one, other] = [new Leases<Beating>(clock, 10_000), new Leases<Beating>(clock, 10_000)];
    one.add({ beat: () => {} });
    clock.runNext();
    expect(other.longestDelayMs).toBe(0);
    clock.work(720);
    clock.runNext();
    expect([one.longestDelayMs, other.longestDelayMs]).toEqual([220, 220]);
  });
});
