/** The lock of the hand-written examples: a set of busy sessions and a poll, as many programs have it. */
import { setTimeout as sleep } from 'node:timers/promises';

export class SimpleLock {
  readonly #busy = new Set<string>();

  tryTake(session: string): (() => void) | null {
    if (this.#busy.has(session)) return null;
    this.#busy.add(session);
    return () => void this.#busy.delete(session);
  }

  async take(session: string, waitMs: number): Promise<() => void> {
    for (const until = Date.now() + waitMs; ; await sleep(5)) {
      const release = this.tryTake(session);
      if (release) return release;
      if (Date.now() >= until) throw new Error(`${session} is busy`);
    }
  }
}

/** A transcript as many runners keep it: what is written is buffered and appended a little later. */
export class BufferedTranscript {
  readonly texts: string[] = [];

  async write(text: string): Promise<void> {
    await sleep(20);
    this.texts.push(text);
  }
}
