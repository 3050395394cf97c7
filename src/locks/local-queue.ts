/**
 * First come, first served among the attempts of one process that want one session. Bounded by what the process
 * itself starts; a waiter that leaves is out of the line at once. Knows nothing of disks or leases.
 */

interface Place<T> {
  readonly who: T;
  readonly go: () => void;
}

/** Lines of waiters, one a key. The head of a line is whose turn it is; it leaves when it is done. */
export class LocalQueue<T> {
  readonly #lines = new Map<string, Place<T>[]>();

  /**
   * Joins the line.
   * @returns `turn`: resolves when we are at its head; `isFirst()`: are we; `leave()`: gives the place up
   */
  join(key: string, who: T): { readonly turn: Promise<void>; isFirst(): boolean; leave(): void } {
    let go = (): void => {};
    const turn = new Promise<void>((resolve) => { go = resolve; });
    const place: Place<T> = { who, go };
    const line = this.#lines.get(key) ?? [];
    if (line.push(place) === 1) {
      this.#lines.set(key, line);
      go();
    }
    const isFirst = (): boolean => this.#lines.get(key)?.[0] === place;
    return { turn, isFirst, leave: () => this.#leave(key, place) };
  }

  /** Who is in line, the head first. */
  waiting(key: string): readonly T[] {
    return (this.#lines.get(key) ?? []).map((place) => place.who);
  }

  /** Who comes after the head; undefined if nobody does. */
  second(key: string): T | undefined {
    return this.#lines.get(key)?.[1]?.who;
  }

  keys(): readonly string[] {
    return [...this.#lines.keys()];
  }

  #leave(key: string, place: Place<T>): void {
    const line = this.#lines.get(key) ?? [];
    const index = line.indexOf(place);
    if (index < 0) return; // left already
    line.splice(index, 1);
    const [head] = line;
    if (head) head.go(); // told again where it has been, which a promise does not hear
    else this.#lines.delete(key);
  }
}
