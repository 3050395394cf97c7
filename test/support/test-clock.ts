/**
 * A clock that tests own: time stands still until it is advanced, and timers then fire in order of their moment.
 * Owns: virtual time. Must not know: what is timed.
 */
import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly due: number;
  readonly fn: () => void;
}

/** Lets every promise that can go on do so. Not a wait for time: the microtask queue is empty when it resolves. */
export const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

export class TestClock implements Clock {
  #now = 1_000;
  /** What a sleep of the machine adds to the clocks that do not stand still. */
  #slept = 0;
  /** What somebody has set the wall clock by. */
  #stepped = 0;
  readonly #timers = new Map<number, Timer>();
  #lastHandle = 0;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#now + this.#slept + this.#stepped;
  }

  sleeplessNow(): number {
    return this.#now + this.#slept;
  }

  setTimeout(fn: () => void, ms: number): number {
    if (!(ms >= 0 && ms <= 2 ** 31 - 1)) throw new RangeError(`a timer of ${ms} ms`);
    this.#lastHandle += 1;
    this.#timers.set(this.#lastHandle, { due: this.#now + ms, fn });
    return this.#lastHandle;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /** Timers that would still fire. */
  get timers(): number {
    return this.#timers.size;
  }

  sleep(ms: number): void {
    this.#slept += ms;
  }

  stepWall(ms: number): void {
    this.#stepped += ms;
  }

  /** Advances, firing what comes due in order, with everything settled between two timers. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      const [handle, { due, fn }] = next;
      this.#timers.delete(handle);
      this.#now = Math.max(this.#now, due);
      fn();
      await settled();
    }
    this.#now = until;
  }

  /** Advances to the next timer, if there is one. */
  async toNextTimer(): Promise<boolean> {
    const next = this.#next(Infinity);
    if (next) await this.advance(next[1].due - this.#now);
    return next !== null;
  }

  #next(until: number): [number, Timer] | null {
    let first: [number, Timer] | null = null;
    for (const entry of this.#timers) {
      const { due } = entry[1];
      if (due <= until && (!first || due < first[1].due)) first = entry;
    }
    return first;
  }
}
