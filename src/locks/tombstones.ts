/**
 * Owners that have been given up: no later grant may go to them. Remembered for a bounded time.
 */
import type { Clock } from '../clock.js';

export class Tombstones {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #until = new Map<string, number>();

  /** @param keepMs how long an owner is remembered, milliseconds: at least a lease and an answer's time */
  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  bury(owner: string): void {
    const now = this.#clock.now();
    // Entered in order of time, so the oldest come first.
    for (const [old, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(old);
    }
    this.#until.delete(owner);
    this.#until.set(owner, now + this.#keepMs);
  }

  has(owner: string): boolean {
    return (this.#until.get(owner) ?? -Infinity) > this.#clock.now();
  }
}
