/**
 * The one blocking connection of a store: BLPOP on a list of its own, in which whoever gives a lock back puts whom of us
 * it woke, or granted it to. Opened with the first that listens, closed when none has for a while. A poll stands behind it.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { Ring } from '../engine/lock-engine.js';
import type { BlockingClient, Commands } from './client.js';

/** Kept open so long after the last listener, milliseconds: a contended session has its next one within that. */
const LINGER_MS = 1_000;

/** After a connection that failed, the next one is tried so much later: the poll goes on meanwhile. */
const RETRY_MS = 250;

/** A BLPOP blocks so long, seconds; the waiters' own poll is shorter, so nobody depends on it. */
const BLOCK_S = '5';

/** Elements for owners that do not listen yet, since the answer that they have to wait is still on its way to them. */
const MOST_EARLY = 100;

export class Bell {
  /** Empty in a cluster: the list lies on one node, the sessions on all of them. There everybody polls. */
  readonly name: string;
  readonly #commands: Commands;
  readonly #list: string;
  readonly #clock: Clock;
  readonly #rings = new Map<string, Ring>();
  readonly #early = new Map<string, string>();
  #client: BlockingClient | null = null;
  #running = false;
  /** The connection was ended by us, not lost. */
  #closed = false;
  #timer: unknown = null;

  /** @param before what stands before the id of a bell */
  constructor(commands: Commands, before: string, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
    this.name = commands.isCluster ? '' : randomUUID();
    this.#list = `${before}${this.name}`;
  }

  /** Rings when something is put there for this owner, until the returned function is called. */
  listen(owner: string, ring: Ring): () => void {
    if (this.name === '') return () => {};
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#rings.set(owner, ring);
    if (!this.#running) void this.#run();
    const early = this.#early.get(owner);
    if (early !== undefined) this.#hear(early);
    return () => {
      if (this.#rings.get(owner) !== ring) return;
      this.#rings.delete(owner);
      if (this.#rings.size > 0) return;
      this.#timer = this.#clock.setTimeout(() => this.#close(), LINGER_MS, 'background');
    };
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#rings.size > 0 || this.#timer !== null) {
      try {
        this.#client ??= await this.#commands.duplicate();
        const answer = await this.#client.call(['BLPOP', this.#list, BLOCK_S]);
        if (Array.isArray(answer)) this.#hear(String(answer[1]));
      } catch {
        this.#drop();
        const lost = !this.#closed;
        this.#closed = false;
        if (lost) await new Promise<void>((resolve) => { this.#clock.setTimeout(resolve, RETRY_MS, 'background'); });
      }
    }
    this.#running = false;
    this.#drop();
  }

  /** An element: `token epoch owner`. */
  #hear(element: string): void {
    const [token = '', epoch = ''] = element.split(' ', 2);
    const owner = element.slice(token.length + epoch.length + 2);
    const ring = this.#rings.get(owner);
    this.#early.delete(owner);
    if (ring) return token === '0' ? ring() : ring({ token: Number(token), epoch: epoch === '-' ? '' : epoch });
    this.#early.set(owner, element);
    for (const oldest of this.#early.keys()) {
      if (this.#early.size <= MOST_EARLY) break;
      this.#early.delete(oldest);
    }
  }

  #close(): void {
    this.#timer = null;
    this.#closed = this.#client !== null;
    this.#drop();
  }

  #drop(): void {
    const client = this.#client;
    this.#client = null;
    client?.end();
  }
}
