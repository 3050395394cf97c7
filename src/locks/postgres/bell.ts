/**
 * The one connection of a store that listens for those who wait and those who hold: opened with the first, closed when
 * there has been none for a while. Whoever misses what it hears looks by itself, so nothing here is ever reported as failed.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { Ring } from '../engine/lock-engine.js';
import type { ListeningClient } from './client.js';

/** Kept open so long after the last listener, milliseconds: a contended session has its next one within that. */
const LINGER_MS = 1_000;

/** After a connection that failed, the next one is tried so much later: the poll goes on meanwhile. */
const RETRY_MS = 1_000;

/** What was said to owners that do not listen yet: the answer that they have to wait is still on its way to them. */
const MOST_EARLY = 100;

/** There is only one history: what it has committed it keeps. */
export const EPOCH = 'durable';

export class Bell {
  /** What the releasing side notifies: a channel of our own, so that other processes are not woken for us. */
  readonly channel = `attempt_${randomUUID().replaceAll('-', '')}`;
  readonly #make: () => ListeningClient | null;
  readonly #clock: Clock;
  readonly #rings = new Map<string, Ring>();
  readonly #early = new Map<string, string>();
  #client: ListeningClient | null = null;
  #timer: unknown = null;
  #failedAt = -Infinity;

  /** @param make a new connection, not yet connected; null where there is none to be had */
  constructor(make: () => ListeningClient | null, clock: Clock) {
    this.#make = make;
    this.#clock = clock;
  }

  /** Rings for this owner until the returned function is called. */
  listen(owner: string, ring: Ring): () => void {
    this.#clock.clearTimeout(this.#timer);
    this.#rings.set(owner, ring);
    if (this.#client === null && this.#clock.now() - this.#failedAt > RETRY_MS) void this.#open();
    const early = this.#early.get(owner);
    if (early !== undefined) this.#hear(early);
    return () => {
      if (this.#rings.get(owner) !== ring) return;
      this.#rings.delete(owner);
      if (this.#rings.size > 0 || this.#client === null) return;
      this.#timer = this.#clock.setTimeout(() => this.#close(), LINGER_MS, 'background');
    };
  }

  async #open(): Promise<void> {
    let client: ListeningClient | null = null;
    try {
      client = this.#make();
      this.#client = client;
      if (client === null) return;
      const mine = client;
      client.on('error', () => this.#lost(mine));
      client.on('end', () => this.#lost(mine));
      client.on('notification', ({ payload = '' }: { payload?: string }) => this.#hear(payload));
      await client.connect();
      client.unref?.(); // a process that only this connection keeps alive has nothing left to wait for
      await client.query({ text: `LISTEN ${this.channel}` });
      for (const ring of Array.from(this.#rings.values())) ring(); // what was said before is missed: look again
    } catch {
      if (client) this.#lost(client);
      else this.#failedAt = this.#clock.now();
    }
  }

  /** `token owner`: with token 0 only a hint to look. */
  #hear(payload: string): void {
    const blank = payload.indexOf(' ');
    const [token, owner] = [Number(payload.slice(0, blank)), payload.slice(blank + 1)];
    const ring = this.#rings.get(owner);
    this.#early.delete(owner);
    if (ring) return token > 0 ? ring({ token, epoch: EPOCH }) : ring();
    this.#early.set(owner, payload);
    for (const oldest of this.#early.keys()) {
      if (this.#early.size <= MOST_EARLY) break;
      this.#early.delete(oldest);
    }
  }

  #lost(client: ListeningClient): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#failedAt = this.#clock.now();
    client.end().catch(() => {});
    // The waiters' own poll opens the next one: see `knock`.
  }

  /** Called with each look of a waiter: a bell that was lost is opened again. */
  knock(): void {
    if (this.#client === null && this.#rings.size > 0 && this.#clock.now() - this.#failedAt > RETRY_MS) void this.#open();
  }

  #close(): void {
    const client = this.#client;
    this.#client = null;
    client?.end().catch(() => {});
  }
}
