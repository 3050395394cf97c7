/**
 * The system's clock, counting the timers that are armed: what is left of a store must be none.
 */
import { systemClock, type Clock } from '../../src/clock.js';

export class CountingClock implements Clock {
  readonly #armed = new Set<unknown>();
  now = systemClock.now;
  wallNow = systemClock.wallNow;
  sleeplessNow = systemClock.sleeplessNow;

  get armed(): number {
    return this.#armed.size;
  }

  setTimeout(fn: () => void, ms: number, keep?: 'background'): unknown {
    const handle = systemClock.setTimeout(() => {
      this.#armed.delete(handle);
      fn();
    }, ms, keep);
    this.#armed.add(handle);
    return handle;
  }

  clearTimeout(handle: unknown): void {
    this.#armed.delete(handle);
    systemClock.clearTimeout(handle);
  }
}

/** Watches of files and directories that are armed in this process. */
export const watchers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('FSEvent')).length;
