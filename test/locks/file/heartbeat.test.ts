/** The heart that beats for many: it reaches every lease, lets others have their turn, and stops with the last one. */
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.js';
import { Heartbeat, type Beating } from '../../../src/locks/file/heartbeat.js';

const MANY = 1_000;
/** So long each lease keeps the disk busy, milliseconds. */
const EACH_MS = 0.5;

/** A clock on which work takes time, and timers wait until they are told to run, one by one. */
class BusyClock implements Clock {
  #now = 0;
  readonly #timers: { readonly fn: () => void; readonly due: number }[] = [];
  now = (): number => this.#now;
  wallNow = (): number => this.#now;
  sleeplessNow = (): number => this.#now;
  work(ms: number): void { this.#now += ms; }
  get armed(): number { return this.#timers.length; }

  setTimeout(fn: () => void, ms: number): unknown {
    const timer = { fn, due: this.#now + ms };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
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

function many(clock: BusyClock, heart: Heartbeat<Beating>): { beats: number; readonly leases: readonly Beating[] } {
  const seen = { beats: 0, leases: [] as Beating[] };
  for (let n = 0; n < MANY; n += 1) {
    seen.leases.push({ beat: () => { seen.beats += 1; clock.work(EACH_MS); } });
  }
  seen.leases.forEach((lease) => heart.add(lease));
  return seen;
}

describe('one heart for many leases', () => {
  test('L3: a beat for thousands that are due together is cut into turns, and still reaches each of them', () => {
    const clock = new BusyClock();
    const seen = many(clock, new Heartbeat<Beating>(clock, 500));
    clock.runNext(); // the first beat
    expect(seen.beats).toBeGreaterThan(0);
    expect(seen.beats).toBeLessThan(MANY / 10);
    let turns = 1;
    while (seen.beats < MANY) {
      turns += 1;
      expect(clock.runNext()).toBe(true);
    }
    expect(seen.beats).toBe(MANY);
    expect(turns).toBeGreaterThan(10);
  });

  test('L5: with the last lease the rest of a beat ends, too', () => {
    const clock = new BusyClock();
    const heart = new Heartbeat<Beating>(clock, 500);
    const seen = many(clock, heart);
    clock.runNext();
    const { beats } = seen;
    seen.leases.forEach((lease) => heart.remove(lease));
    expect(clock.armed).toBe(0);
    expect(clock.runNext()).toBe(false);
    expect(seen.beats).toBe(beats);
  });
});
