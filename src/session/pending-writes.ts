/**
 * Counts what was begun and has not ended, so that the release can wait for it.
 * Owns: the count. Must not know: what the promises stand for.
 */

export class PendingWrites {
  #count = 0;
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  /** Counts a promise until it settles, either way. Its rejection stays its owner's to handle. */
  track(promise: PromiseLike<unknown>): void {
    this.#count += 1;
    const ended = (): void => {
      this.#count -= 1;
      if (this.#count > 0) return;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    };
    promise.then(ended, ended);
  }

  /** Resolves at a moment when nothing is pending; at once where nothing is. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
