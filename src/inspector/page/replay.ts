/**
 * Plays a recorded trace: the same records, in their own time or faster, through the same reducer.
 * Owns: the position. What a file holds is foreign: a line that is not a record is told, not shown.
 */
/// <reference lib="dom" />
import type { TraceRecord } from '../../trace/record.js';
import type { Entry } from './model.js';

const MOST_BYTES = 64 * 2 ** 20;
/** A pause in a trace is not waited for longer than this. */
const LONGEST_PAUSE_MS = 1_500;

const isRecord = (value: unknown): value is TraceRecord => {
  const { v, kind, attemptId, session, at, event, from, to, after } = (value ?? {}) as Record<string, unknown>;
  if (v !== 1 || typeof attemptId !== 'string' || typeof session !== 'string' || typeof at !== 'number') return false;
  if (kind !== 'transition') return kind === 'attempt' || kind === 'end';
  return typeof from === 'string' && typeof to === 'string' && typeof after === 'object' && after !== null
    && typeof (event as { type?: unknown } | undefined)?.type === 'string';
};

/** @returns records in order of time. @throws Error with what is wrong, for the reader of the page */
export function entriesOf(text: string): Entry[] {
  const begun = new Map<string, number>();
  const lines = text.split('\n');
  return lines.flatMap((line, nth): Entry[] => {
    if (line.trim() === '') return [];
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      if (nth === lines.length - 1) return []; // what a killed process leaves
      throw new Error(`Line ${nth + 1} is not JSON. A trace is what attempt run --trace writes.`);
    }
    if (!isRecord(record)) throw new Error(`Line ${nth + 1} is not a record of a trace, version 1.`);
    if (record.kind === 'attempt') begun.set(record.attemptId, record.at);
    const wall = record.kind === 'attempt' ? record.at : (begun.get(record.attemptId) ?? 0) + record.at;
    return [{ wall, record }];
  }).sort((a, b) => a.wall - b.wall);
}

export async function textOf(file: File): Promise<string> {
  if (file.size > MOST_BYTES) throw new Error(`The file has ${file.size} bytes; at most 64 MiB are read.`);
  return file.text();
}

export class Player {
  readonly entries: readonly Entry[];
  readonly #show: (upTo: number) => void;
  #timer = 0;
  position = 0;

  /** @param show called with how many entries are to be seen */
  constructor(entries: readonly Entry[], show: (upTo: number) => void) {
    this.entries = entries;
    this.#show = show;
  }

  get isPlaying(): boolean {
    return this.#timer !== 0;
  }

  /** When the last entry to be seen was made. */
  get now(): number {
    return this.entries[Math.max(0, this.position - 1)]?.wall ?? 0;
  }

  go(position: number): void {
    this.position = Math.max(0, Math.min(this.entries.length, position));
    this.#show(this.position);
  }

  play(): void {
    if (this.position >= this.entries.length) this.position = 0;
    this.#next();
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #next(): void {
    this.go(this.position + 1);
    const [here, there] = [this.entries[this.position - 1], this.entries[this.position]];
    if (!here || !there) return this.pause();
    // Steps of one tick are shown one after the other all the same: otherwise nobody would see them.
    const wait = Math.min(LONGEST_PAUSE_MS, Math.max(120, there.wall - here.wall));
    this.#timer = setTimeout(() => this.#next(), wait) as unknown as number;
  }
}
