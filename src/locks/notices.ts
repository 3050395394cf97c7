/**
 * What a lease tells its holder, kept until somebody listens: a loss must not be missed because it came early.
 */
import { callSafely } from '../warnings.js';
import type { LeaseNotice } from './lock-store.js';

export class Notices {
  readonly #listeners = new Set<(notice: LeaseNotice) => void>();
  #lost: LeaseNotice | null = null;

  /** Listens. A loss that has already been told is told again, to this listener alone. */
  listen(fn: (notice: LeaseNotice) => void): () => void {
    this.#listeners.add(fn);
    if (this.#lost) tellOne(fn, this.#lost);
    return () => void this.#listeners.delete(fn);
  }

  tell(notice: LeaseNotice): void {
    if (notice.type === 'lost') this.#lost = notice;
    this.#listeners.forEach((fn) => tellOne(fn, notice));
  }
}

/** A listener that throws must not stop the heart that told it, nor keep the news from the others. */
function tellOne(fn: (notice: LeaseNotice) => void, notice: LeaseNotice): void {
  callSafely('a listener of a lease', () => fn(notice));
}
