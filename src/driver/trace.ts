/**
 * The path an attempt took, bounded: the last transitions are kept, earlier ones counted.
 */
import type { Transition } from '../report.js';

/** As many as a report keeps. A release that is asked for again and again is what can make a path long. */
const MOST = 64;

export class Trace {
  readonly #transitions: Transition[] = [];
  #dropped = 0;

  add(transition: Transition): void {
    if (this.#transitions.push(transition) <= MOST) return;
    this.#transitions.shift();
    this.#dropped += 1;
  }

  read(): { readonly transitions: readonly Transition[]; readonly dropped: number } {
    return { transitions: [...this.#transitions], dropped: this.#dropped };
  }
}
