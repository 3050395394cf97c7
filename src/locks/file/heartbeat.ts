/**
 * One timer for all leases of a store. It runs only while there is a lease, and does not keep the process alive: an
 * attempt that nothing else waits for ends with its process, and the exit hook gives its lock back.
 */
import type { Clock } from '../../clock.js';

/** The first beat comes soon: from then on a holder hears what it is asked. Shorter attempts pay nothing for that. */
const FIRST_BEAT_MS = 50;

/**
 * Who beats for thousands lets others have their turn after so long, milliseconds: leases that were taken together are due
 * together, and each has a few calls of the disk to make.
 */
const MOST_AT_ONCE_MS = 10;

/** So many are looked after between two looks at the clock. */
const BETWEEN_LOOKS = 32;

/** What a beat reaches. */
export interface Beating {
  beat(): void;
}

export class Heartbeat<L extends Beating> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #leases = new Set<L>();
  #timer: unknown = null;
  /** The rest of a beat that was interrupted. */
  #rest: unknown = null;
  #longestDelayMs = 0;

  /** @param everyMs time between two beats, milliseconds; each lease decides at a beat whether it has to act */
  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  get leases(): ReadonlySet<L> {
    return this.#leases;
  }

  /** How much later than due a beat has come at most, milliseconds: how long the event loop was blocked, or asleep. */
  get longestDelayMs(): number {
    return this.#longestDelayMs;
  }

  add(lease: L): void {
    this.#leases.add(lease);
    if (this.#leases.size === 1) this.#arm(Math.min(FIRST_BEAT_MS, this.#everyMs));
  }

  remove(lease: L): void {
    if (!this.#leases.delete(lease) || this.#leases.size > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#rest !== null) this.#clock.clearTimeout(this.#rest);
    this.#rest = null;
  }

  #arm(inMs: number): void {
    const due = this.#clock.now() + inMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#longestDelayMs = Math.max(this.#longestDelayMs, Math.round(this.#clock.now() - due));
      this.#arm(this.#everyMs); // first, so that nothing a beat does can stop the heart
      if (this.#rest === null) this.#beat(this.#leases.values()); // else that one goes on, and comes to all
    }, inMs, 'background');
  }

  #beat(leases: Iterator<L>): void {
    this.#rest = null;
    const until = this.#clock.now() + MOST_AT_ONCE_MS;
    for (let count = 1, next = leases.next(); next.done !== true; count += 1, next = leases.next()) {
      next.value.beat();
      if (count % BETWEEN_LOOKS !== 0 || this.#clock.now() < until || this.#leases.size === 0) continue;
      this.#rest = this.#clock.setTimeout(() => this.#beat(leases), 0, 'background');
      return;
    }
  }
}
