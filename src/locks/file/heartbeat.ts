/**
 * One timer for all leases of a store. It runs only while there is a lease, and does not keep the process alive: an
 * attempt that nothing else waits for ends with its process, and the exit hook gives its lock back.
 */
import type { Clock } from '../../clock.js';

/** What a beat reaches. */
export interface Beating {
  beat(): void;
}

export class Heartbeat<L extends Beating> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #leases = new Set<L>();
  #timer: unknown = null;

  /** @param everyMs time between two beats, milliseconds; each lease decides at a beat whether it has to act */
  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  get leases(): ReadonlySet<L> {
    return this.#leases;
  }

  add(lease: L): void {
    this.#leases.add(lease);
    if (this.#leases.size === 1) this.#arm();
  }

  remove(lease: L): void {
    if (!this.#leases.delete(lease) || this.#leases.size > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#arm(); // first, so that nothing a beat does can stop the heart
      this.#leases.forEach((lease) => lease.beat());
    }, this.#everyMs, 'background');
  }
}
