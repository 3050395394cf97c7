/**
 * Whose turn it is to take a file lock, as far as this process is concerned, and what to wait for if it is not ours.
 * Owns: our place among the processes that wait (`process-line.ts`). Must not know: how the lock is taken.
 */
import type { Clock } from '../../clock.js';
import { occupantOf } from './occupant.js';
import { isAbandoned, replaceableAt } from './one-try.js';
import { GRACE_MS, ProcessLine } from './process-line.js';
import type { Places } from './session-path.js';
import { untilChanged } from './waiting.js';

/**
 * So often in a row a lock is passed on within this process while other processes wait: each of theirs is then passed
 * over by at most so many, and one, grants of each process that waits before it.
 */
const MOST_IN_A_ROW = 8;

/** Who comes before us. */
export interface Front {
  readonly ticket: string;
  /** It is its turn, or one before it may be letting a free lock lie: worth looking again soon. */
  readonly isSuspect: boolean;
}

export class Turns {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #lines = new Map<string, ProcessLine>();

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** Those of this process who wait there. */
  lineAt(places: Places): ProcessLine {
    const known = this.#lines.get(places.lock);
    if (known) return known;
    const line = new ProcessLine(places, this.#clock);
    this.#lines.set(places.lock, line);
    return line;
  }

  /** Called by each who asked for the line, when it has left. */
  forget({ lock }: Places): void {
    if (this.#lines.get(lock)?.isEmpty) this.#lines.delete(lock);
  }

  /** Who comes before us; null if it is our turn. A free lock that it lets lie is ours after a while. */
  frontOf(places: Places, tickets: readonly string[]): Front | null {
    if (tickets.length === 0) return null;
    const line = this.lineAt(places);
    const ticket = line.frontOf(tickets);
    if (ticket === null) return null;
    // Whoever comes next lets it lie, if it does. Not only the one right behind may say so: that one may be stopped, too.
    const next = line.firstOf(tickets);
    if (line.letsLie(next, this.#freeIn(places) <= 0)) return this.frontOf(places, tickets);
    return { ticket, isSuspect: next === ticket || line.isLyingFree };
  }

  /**
   * May a lock be passed on within this process that has been passed on so often, past others? If not, those of this
   * process who wait go behind the others.
   */
  mayPassOn(places: Places, tickets: readonly string[], passed: number): 'freely' | 'pastOthers' | false {
    const line = this.lineAt(places);
    if (!line.othersAmong(tickets)) return 'freely';
    if (passed < MOST_IN_A_ROW) return 'pastOthers';
    line.toTheEnd(tickets);
    return false;
  }

  /** One of ours is served, and is still in line: the others of ours go behind the others. */
  served(places: Places, tickets: readonly string[]): void {
    if (tickets.length === 0) return;
    const line = this.lineAt(places);
    if (line.size > 1) line.toTheEnd(tickets);
  }

  /** Until something happens that may make it our turn, or it is time to look again; at most `ms`. */
  async untilChanged(places: Places, front: Front | null, ms: number, signal: AbortSignal): Promise<void> {
    // A free lock that is not for us: looked at again when whoever it is for should have it.
    const lookAgainIn = (): number => {
      if (front === null) return this.#freeIn(places) + 1;
      return front.isSuspect && this.#freeIn(places) <= 0 ? GRACE_MS : Infinity;
    };
    await untilChanged({ places, front: front?.ticket ?? null, lookAgainIn }, this.#clock, ms, signal);
  }

  /** In how many milliseconds the lock may be taken, if nothing happens to it. */
  #freeIn(places: Places): number {
    try {
      const occupant = occupantOf(places.lock);
      const now = this.#clock.wallNow();
      return isAbandoned(places.lock, occupant, now) ? 0 : replaceableAt(occupant, this.#leaseMs) - now;
    } catch {
      return Infinity; // the next try meets the same error, and tells it
    }
  }
}
