/**
 * Writes that wait, in order, for the answer to a lease in doubt.
 *
 * Owns: their order and how long they wait. Must not know: what they write.
 */
import type { Clock } from '../clock.js';
import type { GateVerdict } from './gate.js';

/**
 * How often the gate is asked again. The answer is a renewal or a loss that a store is after at that moment;
 * a person does not notice this long, and 200 questions a second cost nothing.
 */
const POLL_MS = 5;

interface Waiting {
  readonly until: number;
  /**
   * Performs the write, or refuses it with the verdict that ended the wait; `doubt` means the time was over.
   */
  readonly settle: (verdict: GateVerdict) => void;
}

export class DoubtQueue {
  readonly #ask: () => GateVerdict;
  readonly #clock: Clock;
  readonly #answerMs: number;
  #waiting: Waiting[] = [];
  #timer: unknown = undefined;

  /**
   * @param ask the gate
   * @param answerMs how long a write waits at most, milliseconds
   */
  constructor(ask: () => GateVerdict, clock: Clock, answerMs: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#answerMs = answerMs;
  }

  get length(): number {
    return this.#waiting.length;
  }

  push(settle: (verdict: GateVerdict) => void): void {
    this.#waiting.push({ until: this.#clock.now() + this.#answerMs, settle });
    this.#timer ??= this.#clock.setTimeout(() => this.#poll(), POLL_MS);
  }

  /** Asks the gate, and lets go whoever has an answer by that or has waited long enough. */
  recheck(): void {
    // Asked anew for each: a write that passes may be what closes the gate for the next.
    while (this.#waiting.length > 0) {
      const verdict = this.#ask();
      const [first] = this.#waiting as [Waiting];
      if (verdict === 'doubt' && this.#clock.now() < first.until) break; // later ones wait longer
      this.#waiting.shift();
      first.settle(verdict);
    }
    if (this.#waiting.length > 0 || this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    this.#timer = undefined;
    this.recheck();
    if (this.#waiting.length > 0) this.#timer ??= this.#clock.setTimeout(() => this.#poll(), POLL_MS);
  }
}
