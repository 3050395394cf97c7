/**
 * The one blocking connection of a store: BLPOP on the wake lists of all its waiters. Opened with the first of them,
 * closed when none has been waiting for a while. What it hears is a hint; a poll stands behind it.
 */
import type { Clock } from '../../clock.js';
import type { BlockingClient, Commands } from './client.js';

/** Kept open so long after the last waiter, milliseconds: a contended session has its next one within that. */
const LINGER_MS = 1_000;

/** After a connection that failed, the next one is tried so much later: the poll goes on meanwhile. */
const RETRY_MS = 250;

/** A BLPOP blocks so long, seconds; the waiters' own poll is shorter, so nobody depends on it. */
const BLOCK_S = '5';

/** A BLPOP that had not begun to block when it was interrupted is interrupted again so much later, milliseconds. */
const AGAIN_MS = 3;

export class Bell {
  readonly #commands: Commands;
  readonly #clock: Clock;
  readonly #rings = new Map<string, () => void>();
  #client: BlockingClient | null = null;
  #running = false;
  /** The server's id of our connection, while it blocks. */
  #blocked: { readonly id: string } | null = null;
  #timer: unknown = null;

  constructor(commands: Commands, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
  }

  /** Rings when something is pushed to this list, until the returned function is called. */
  listen(list: string, ring: () => void): () => void {
    if (this.#commands.isCluster) return () => {}; // lists of several sessions lie on several nodes: there they poll
    this.#clock.clearTimeout(this.#timer);
    this.#rings.set(list, ring);
    if (this.#running) void this.#interrupt();
    else void this.#run();
    return () => {
      this.#rings.delete(list);
      if (this.#rings.size > 0) return;
      this.#timer = this.#clock.setTimeout(() => this.#close(), LINGER_MS, 'background');
    };
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#rings.size > 0) {
      try {
        this.#client ??= await this.#commands.duplicate();
        await this.#listenOnce(this.#client);
      } catch {
        this.#drop();
        await new Promise<void>((resolve) => { this.#clock.setTimeout(resolve, RETRY_MS, 'background'); });
      }
    }
    this.#running = false;
    if (this.#timer === null) this.#drop();
  }

  async #listenOnce(client: BlockingClient): Promise<void> {
    const lists = [...this.#rings.keys()];
    const [id, popped] = [client.call(['CLIENT', 'ID']), client.call(['BLPOP', ...lists, BLOCK_S])];
    popped.catch(() => {}); // if the first fails, so does the second
    const blocked = { id: String(await id) };
    this.#blocked = blocked;
    // A list that has come since was not among those we block on.
    if ([...this.#rings.keys()].some((list) => !lists.includes(list))) void this.#interrupt();
    try {
      const answer = await popped;
      if (Array.isArray(answer)) this.#rings.get(String(answer[0]).slice(this.#commands.keyPrefix.length))?.();
    } finally {
      this.#blocked = null;
    }
  }

  /** Ends the BLPOP under way, if there is one, so that the next one has all lists. */
  async #interrupt(): Promise<void> {
    const blocked = this.#blocked;
    while (blocked !== null && this.#blocked === blocked) {
      const ended = await this.#commands.call(['CLIENT', 'UNBLOCK', blocked.id]).catch(() => 1);
      if (Number(ended) === 1) return;
      await new Promise<void>((resolve) => { this.#clock.setTimeout(resolve, AGAIN_MS, 'background'); });
    }
  }

  #close(): void {
    this.#timer = null;
    if (this.#rings.size > 0) return;
    this.#drop();
  }

  #drop(): void {
    const client = this.#client;
    this.#client = null;
    client?.end();
  }
}
