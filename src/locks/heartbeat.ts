/**
 * One timer for all leases of a process, whichever store they are of. It runs only while there is a lease, and does not
 * keep the process alive: an attempt that nothing else waits for ends with its process, and the exit hook gives its lock
 * back.
 */
import type { Clock } from '../clock.js';
import { callSafely } from '../warnings.js';

/** The first beat comes soon: from then on a holder hears what it is asked. Shorter attempts pay nothing for that. */
const FIRST_BEAT_MS = 50;

/** How often the heart beats at least: a changed state is shown to others this late. */
const MOST_BEAT_MS = 500;

/**
 * Who beats for thousands lets others have their turn after so long, milliseconds: leases that were taken together are due
 * together, and each has a few calls of the disk to make.
 */
const MOST_AT_ONCE_MS = 10;

/** So many are looked after between two looks at the clock. */
const BETWEEN_LOOKS = 32;

/** What a beat reaches; it decides by itself whether it has to act. */
export interface Beating {
  beat(): void;
}

/** The leases of one store, each reached by the heart of the process until it is removed. */
export class Leases<L extends Beating> {
  readonly #heart: Heart;
  readonly #everyMs: number;
  readonly #all = new Set<L>();

  /** @param leaseMs how long a lease lives without renewal, milliseconds: six beats at least */
  constructor(clock: Clock, leaseMs: number) {
    this.#heart = heartOf(clock);
    this.#everyMs = Math.min(MOST_BEAT_MS, leaseMs / 6);
  }

  /** How much later than due a beat has come at most, milliseconds: how long the event loop was blocked, or asleep. */
  get longestDelayMs(): number {
    return this.#heart.longestDelayMs;
  }

  add(lease: L): void {
    this.#all.add(lease);
    this.#heart.add(lease, this.#everyMs);
  }

  remove(lease: L): void {
    if (this.#all.delete(lease)) this.#heart.remove(lease);
  }

  find(matches: (lease: L) => boolean): L | undefined {
    for (const lease of this.#all) if (matches(lease)) return lease;
    return undefined;
  }

  [Symbol.iterator](): Iterator<L> {
    return this.#all.values();
  }
}

const hearts = new WeakMap<Clock, Heart>();

function heartOf(clock: Clock): Heart {
  const known = hearts.get(clock);
  if (known) return known;
  const heart = new Heart(clock);
  hearts.set(clock, heart);
  return heart;
}

class Heart {
  readonly #clock: Clock;
  readonly #leases = new Set<Beating>();
  /** As often as the shortest lease needs it of those that came since the heart began to beat. */
  #everyMs = Infinity;
  #timer: unknown = null;
  /** The rest of a beat that was interrupted. */
  #rest: unknown = null;
  longestDelayMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(lease: Beating, everyMs: number): void {
    this.#leases.add(lease);
    if (everyMs >= this.#everyMs) return;
    this.#everyMs = everyMs;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#arm(Math.min(FIRST_BEAT_MS, everyMs));
  }

  remove(lease: Beating): void {
    this.#leases.delete(lease);
    if (this.#leases.size > 0) return;
    this.#everyMs = Infinity;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#rest !== null) this.#clock.clearTimeout(this.#rest);
    this.#rest = null;
  }

  #arm(inMs: number): void {
    const due = this.#clock.now() + inMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.longestDelayMs = Math.max(this.longestDelayMs, Math.round(this.#clock.now() - due));
      this.#arm(this.#everyMs); // first, so that nothing a beat does can stop the heart
      if (this.#rest === null) this.#beat(this.#leases.values()); // else that one goes on, and comes to all
    }, inMs, 'background');
  }

  #beat(leases: Iterator<Beating>): void {
    this.#rest = null;
    const until = this.#clock.now() + MOST_AT_ONCE_MS;
    for (let count = 1, next = leases.next(); next.done !== true; count += 1, next = leases.next()) {
      const lease = next.value;
      callSafely('the renewal of a lease', () => lease.beat()); // it may ask a client that is not ours: the others are not to suffer
      if (count % BETWEEN_LOOKS !== 0 || this.#clock.now() < until || this.#leases.size === 0) continue;
      this.#rest = this.#clock.setTimeout(() => this.#beat(leases), 0, 'background');
      return;
    }
  }
}
