/**
 * What has been told, kept for those who come later: a bounded past, and the beginning of every attempt still at work.
 * Taking a record costs a push; whoever looks on is told later, in one go.
 * Owns: the bounds, and the count of what fell out of them. Must not know: sockets, pages.
 */
import type { TraceRecord } from '../trace/record.js';

/** A record and when it was taken, wall clock, milliseconds. */
export interface Entry {
  readonly wall: number;
  readonly record: TraceRecord;
}

/** About 3 MB; a hundred attempts have some ten steps each. */
const MOST_ENTRIES = 5_000;
/** Told together: a page draws a few times a second anyway. */
const TOLD_EVERY_MS = 50;
/** Attempts at work whose beginning is kept. */
const MOST_BEGUN = 10_000;

export class Feed {
  readonly #past: Entry[] = [];
  readonly #begun = new Map<string, Entry>();
  readonly #onEntries: (entries: readonly Entry[]) => void;
  #news: Entry[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Entries nobody can see any more because too much happened at once. */
  dropped = 0;

  constructor(onEntries: (entries: readonly Entry[]) => void) {
    this.#onEntries = onEntries;
  }

  readonly take = (record: TraceRecord): void => {
    const entry: Entry = { wall: Date.now(), record };
    if (record.kind === 'attempt' && this.#begun.size < MOST_BEGUN) this.#begun.set(record.attemptId, entry);
    if (record.kind === 'end') this.#begun.delete(record.attemptId);
    if (this.#past.push(entry) > MOST_ENTRIES) this.#past.shift();
    if (this.#news.push(entry) > MOST_ENTRIES) {
      this.#news.shift();
      this.dropped += 1;
    }
    this.#timer ??= setTimeout(() => this.#tell(), TOLD_EVERY_MS).unref();
  };

  /** All that is known, the oldest first. */
  history(): readonly Entry[] {
    const inPast = new Set(this.#past);
    return [...[...this.#begun.values()].filter((entry) => !inPast.has(entry)), ...this.#past];
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tell(): void {
    this.#timer = null;
    const news = this.#news;
    this.#news = [];
    this.#onEntries(news);
  }
}
