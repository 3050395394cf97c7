/**
 * What a lease tells its holder, kept until somebody listens: a loss, or that its end is asked for, must not be missed
 * because it came early.
 */
import { callSafely } from '../warnings.js';
import type { LeaseNotice } from './lock-store.js';

export class Notices {
  readonly #listeners = new Set<(notice: LeaseNotice) => void>();
  /** The first of each kind. */
  #kept: LeaseNotice[] | null = null;

  /** Listens. What has already been told is told again, to this listener alone. A doubt is not: it passes. */
  listen(fn: (notice: LeaseNotice) => void): () => void {
    this.#listeners.add(fn);
    for (const notice of this.#kept ?? []) tellOne(fn, notice);
    return () => void this.#listeners.delete(fn);
  }

  tell(notice: LeaseNotice): void {
    if (notice.type !== 'inDoubt' && !this.#kept?.some(({ type }) => type === notice.type)) (this.#kept ??= []).push(notice);
    this.#listeners.forEach((fn) => tellOne(fn, notice));
  }
}

/** A listener that throws must not stop the heart that told it, nor keep the news from the others. */
function tellOne(fn: (notice: LeaseNotice) => void, notice: LeaseNotice): void {
  callSafely('a listener of a lease', () => fn(notice));
}
