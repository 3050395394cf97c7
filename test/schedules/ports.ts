/**
 * A store, records and work whose every answer waits for somebody to let it happen: the ports of the real driver.
 * Owns: the ledger. Must not know: in which order things are let happen, what ought to come of it.
 */
import type { AcquireRequest, AcquireResult, Lease, LockStore, ReleaseAnswer } from '../../src/locks/lock-store.js';
import { Notices } from '../../src/locks/notices.js';
import type { SessionRecords } from '../../src/session/session-records.js';

/** Lets an answer out when it is its turn: at once, when the test says so, or when `fc.scheduler` does. */
export type Gatekeeper = <T>(what: string, answer: () => T) => Promise<T>;

export const LEASE_MS = 1_000;
const FIRST_TOKEN = 7;

/** How the store answers asks for release, one after the other; the last one again and again. */
export type Releases = readonly ('released' | 'notHeld' | 'unknown' | 'rejects' | 'hangs' | 'lostAnswer')[];

export class Ledger implements LockStore {
  readonly capabilities = { leaseMs: LEASE_MS, tokenScope: 'durable', fencedWrites: false } as const;
  /** What happened, in order. */
  readonly said: string[] = [];
  /** Successful releases: more than one would be a release of nothing, none a leak. */
  givenBack = 0;
  asks = 0;
  requests = 0;
  isLost = false;
  #notices = new Notices();
  /** Whose release by owner was answered: no grant to that owner after it, says the contract. */
  readonly #buried = new Set<string>();
  /** Whose grant the last one is, and when it ends by itself; renewed without end until its holder asks for release. */
  #holder = '';
  #until = -Infinity;

  constructor(
    readonly gate: Gatekeeper, readonly releases: Releases, readonly now: () => number,
    readonly answer: 'granted' | 'busy' | 'unknown' | 'rejects' = 'granted',
  ) {}

  get held(): boolean { return this.now() < this.#until; }

  async acquire({ owner }: AcquireRequest): Promise<AcquireResult> {
    this.requests += 1;
    const token = FIRST_TOKEN + this.requests - 1;
    return this.gate('grant', (): AcquireResult => {
      if (this.#buried.has(owner) || this.held) return { status: 'busy', holder: null };
      this.said.push(`answer ${this.answer}`);
      if (this.answer === 'rejects') throw new Error('the store failed');
      if (this.answer === 'busy') return { status: 'busy', holder: null };
      if (this.answer === 'unknown') return { status: 'unknown', error: new Error('no idea') };
      this.#until = this.isLost ? -Infinity : Infinity;
      this.#holder = owner;
      this.#notices = new Notices();
      if (this.isLost) this.#notices.tell({ type: 'lost', reason: 'a test took it' });
      return { status: 'granted', lease: this.#lease(owner, token, this.#notices) };
    });
  }

  releaseOwner(_session: string, owner: string): Promise<ReleaseAnswer> { return this.#release(owner, true); }

  async query(): Promise<[]> { return []; }

  async forceRelease(): Promise<ReleaseAnswer> { return 'unknown'; }

  /** The lock is somebody else's now; the holder is told, as soon as it listens. */
  lose(): void {
    if (this.isLost) return;
    this.isLost = true;
    this.#until = -Infinity;
    this.said.push('lost');
    this.#notices.tell({ type: 'lost', reason: 'a test took it' });
  }

  #lease(owner: string, token: number, notices: Notices): Lease {
    const { now } = this;
    return {
      token, owner,
      get deadline() { return now() + LEASE_MS; },
      release: () => {
        if (this.#holder === owner) this.#until = Math.min(this.#until, now() + LEASE_MS); // renewal stops
        return this.#release(owner, false);
      },
      onNotice: (fn) => notices.listen(fn),
    };
  }

  #release(owner: string, byOwner: boolean): Promise<ReleaseAnswer> {
    const how = this.releases[Math.min(this.asks, this.releases.length - 1)] ?? 'released';
    this.asks += 1;
    this.said.push(`ask ${how}`);
    if (how === 'hangs') return new Promise(() => {});
    return this.gate('release', () => {
      if (how === 'rejects') throw new Error('the store failed');
      if (byOwner && how !== 'unknown') this.#buried.add(owner);
      const isOurs = this.#holder === owner;
      if (how === 'notHeld' && isOurs) this.#until = -Infinity; // true of a lock that went away without a word
      if (how === 'unknown' || how === 'notHeld') return how;
      const wasHeld = isOurs && this.held;
      if (wasHeld) this.givenBack += 1;
      if (isOurs) this.#until = -Infinity; // S7: a release never touches a grant of another owner
      this.said.push(wasHeld ? 'given back' : 'nothing to give back');
      return how === 'lostAnswer' ? 'unknown' : wasHeld ? 'released' : 'notHeld';
    });
  }
}

export interface Writes { readonly records: SessionRecords; readonly written: unknown[]; opened: number; closed: number }

export function writesThrough(gate: Gatekeeper): Writes {
  const writes: Writes = {
    written: [], opened: 0, closed: 0,
    records: {
      open: () => gate('open', () => {
        writes.opened += 1;
        return {
          fencing: 'stamped', append: (record) => void writes.written.push(record),
          appendSync: (record) => void writes.written.push(record), close: () => { writes.closed += 1; },
        };
      }),
    },
  };
  return writes;
}
