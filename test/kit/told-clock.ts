/**
 * Time that moves only when told, as the library's Clock and as a port's clock at once.
 */
import type { Clock } from '../../src/clock.js';

export class ToldClock implements Clock {
  #now = 1_000;
  #timers: { at: number; fn: () => void }[] = [];

  now = (): number => this.#now;
  wallNow = (): number => 1_700_000_000_000 + this.#now;
  sleeplessNow = (): number => this.#now;

  setTimeout = (fn: () => void, ms: number): unknown => {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return timer;
  };

  clearTimeout = (handle: unknown): void => {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  };

  sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.setTimeout(resolve, ms);
    });

  /** Fires what is due in order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    this.#now = end;
  }
}
