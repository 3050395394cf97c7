/**
 * A holder's ear: hears what it is asked through its room. Armed with a beat of the heart, not with the grant,
 * so that short attempts pay nothing; then by watching, with the heart behind it: each renewal looks, too, and where there
 * is no watch to be had, every beat.
 * Owns: the watch, and that each kind of ask is told once. Must not know: what the holder makes of it.
 */
import { lstatSync, watch, type FSWatcher } from 'node:fs';
import type { LeaseNotice } from '../lock-store.js';
import { asksFor, namesIn, readAsk, removeAsk } from './asks.js';

/** A change this soon after another one may bear the same time. */
const SAME_TIME_MS = 100;

export class Ear {
  readonly #room: string;
  readonly #token: () => number;
  readonly #tell: (notice: LeaseNotice) => void;
  readonly #onLine: () => void;
  readonly #heard = new Set<string>();
  #watcher: FSWatcher | null = null;
  #state: 'new' | 'listening' | 'closed' = 'new';
  /** When the room was last changed before we last looked, if nothing can have happened in it unseen since. */
  #seenUpTo: number | null = null;

  /**
   * @param tell told each kind of ask at most once; its holder decides whether it refuses
   * @param onLine told when somebody joins or leaves the line, where that can be watched
   */
  constructor(room: string, token: () => number, tell: (notice: LeaseNotice) => void, onLine: () => void) {
    this.#room = room;
    this.#token = token;
    this.#tell = tell;
    this.#onLine = onLine;
  }

  /** Is whatever is asked heard at once? Else every beat has to listen. */
  get isWatching(): boolean {
    return this.#watcher !== null;
  }

  /** Looks, and from the first time on watches. Never throws. */
  listen(): void {
    if (this.#state === 'new') this.#arm();
    if (this.#mayHaveChanged()) this.#look();
  }

  /** The lock is about to be given back, perhaps only for a window: what was asked until now is heard. */
  lastLook(): void {
    this.#look();
    this.close();
  }

  close(): void {
    this.#state = 'closed';
    this.#stopWatching();
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #arm(): void {
    this.#state = 'listening';
    try {
      this.#watcher = watch(this.#room, { persistent: false }, (_event, name) => {
        if (name === null || name.startsWith('wait.')) this.#onLine();
        if (name === null || name.startsWith(`ask.${this.#token()}.`)) this.#look();
      });
      this.#watcher.on('error', () => this.#stopWatching()); // the heart goes on
    } catch { /* no watch to be had: heard with the next beat */ }
  }

  /** Half the price of a look. In doubt it has. */
  #mayHaveChanged(): boolean {
    try {
      const { mtimeMs } = lstatSync(this.#room);
      if (mtimeMs === this.#seenUpTo) return false;
      const age = Date.now() - mtimeMs;
      this.#seenUpTo = age > SAME_TIME_MS ? mtimeMs : null;
    } catch { /* no room: the look says so */ }
    return true;
  }

  #look(): void {
    if (this.#state !== 'listening') return;
    for (const name of asksFor(this.#token(), namesIn(this.#room))) {
      const said = readAsk(this.#room, name);
      if (said === null) continue; // not laid by us: neither heard nor touched
      removeAsk(this.#room, name);
      if (this.#heard.has(said.type)) continue;
      this.#heard.add(said.type);
      this.#tell(said);
      if (this.#state !== 'listening') return; // what it was told has ended the lease
    }
  }
}
