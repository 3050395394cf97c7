/**
 * A bound on an answer that may never come: a half-open connection says neither yes nor no.
 */
import type { Clock } from '../../clock.js';

/** No answer within the bound. What was asked may still be performed. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`no answer within ${Math.round(ms)} ms`);
    this.name = 'NoAnswer';
  }
}

/** @returns what the promise settles with; rejects with `NoAnswer` after `ms`. A later rejection is heard by nobody. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new NoAnswer(ms)), ms);
    promise.then(
      (value) => {
        clock.clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clock.clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}
