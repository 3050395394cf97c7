/**
 * When the stations of an attempt were passed, on the monotonic clock, and the times that follow from it.
 */
import type { AttemptContext } from '../../machines/attempt.types.js';
import type { Timings } from '../report.js';

export class Stations {
  #started: number | null = null;
  #granted: number | null = null;
  #waitEnded: number | null = null;
  #ran: number | null = null;
  #leftRunning: number | null = null;
  #aborted: number | null = null;

  /** When `start()` was called; null before. */
  get started(): number | null {
    return this.#started;
  }

  /** When the work was started; null before. */
  get ran(): number | null {
    return this.#ran;
  }

  begin(now: number): void {
    this.#started = now;
  }

  /** The lock is ours. Not every grant changes the state: one may arrive while we are already giving back. */
  granted(now: number): void {
    this.#granted ??= now;
  }

  moved(from: string, to: string, context: AttemptContext, now: number): void {
    if (!to.startsWith('acquiring')) this.#waitEnded ??= now;
    if (to.startsWith('running')) this.#ran ??= now;
    else if (from.startsWith('running')) this.#leftRunning ??= now;
    if (context.abort) this.#aborted ??= now;
  }

  /** @param settledAt when the work settled, if it was waited for */
  timings(now: number, asked: boolean, settledAt: number | null): Timings {
    const since = (then: number | null, until = now): number | null => (then === null ? null : until - then);
    return {
      waitedMs: asked ? since(this.#started, this.#granted ?? this.#waitEnded ?? now) : null,
      heldMs: since(this.#granted),
      ranMs: since(this.#ran, settledAt ?? this.#leftRunning ?? now),
      abortToReleaseMs: since(this.#aborted),
    };
  }
}
