/**
 * Locks in this process's memory: for tests, and for sessions that only one process ever writes.
 */
import { systemClock, type Clock } from '../clock.js';
import { expectMs } from '../config-checks.js';
import { LocalQueue } from './local-queue.js';
import { noticeOf, refuses } from './asking.js';
import type {
  AcquireRequest, AcquireResult, AskAnswer, AskToEnd, Holder, HolderInfo, Lease, LeaseNotice, LockStore, ReleaseAnswer,
  SessionStatus, Waiter,
} from './lock-store.js';
import { Notices } from './notices.js';
import { isStillWanted, waitFor } from './patience.js';
import { Tombstones } from './tombstones.js';

export interface MemoryLocksOptions {
  /** How long a lease is said to live without renewal, milliseconds. Default: 10 000. */
  leaseMs?: number;
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** How long an answer may be on its way; the tombstone outlives it. The default of an attempt's `answerMs`. */
const ANSWER_MS = 5_000;

/** Sessions whose floor is remembered. One more forgets all: they are asked again, which is slow but right. */
const MOST_FLOORS = 10_000;

class MemoryLease implements Lease {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #notices = new Notices();
  #free: (() => void) | null;
  readonly since: number;

  constructor(
    readonly token: number, readonly owner: string, readonly info: HolderInfo, clock: Clock, leaseMs: number,
    free: () => void,
  ) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#free = free;
    this.since = clock.wallNow();
  }

  /** Always a whole lease away: nobody in this process can have run while we could not. */
  get deadline(): number {
    return this.#free ? this.#clock.now() + this.#leaseMs : -Infinity;
  }

  async release(): Promise<ReleaseAnswer> {
    return this.end() ? 'released' : 'notHeld';
  }

  /** The lock is given back, or taken. False if that had happened before. */
  end(lostBecause?: string): boolean {
    const free = this.#free;
    this.#free = null;
    free?.();
    if (free && lostBecause !== undefined) this.#notices.tell({ type: 'lost', reason: lostBecause });
    return free !== null;
  }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    return this.#notices.listen(fn);
  }

  tell(notice: LeaseNotice): void {
    this.#notices.tell(notice);
  }
}

/**
 * Locks in memory.
 *
 * Guarantees: one holder a session within this store; first come, first served; tokens that rise over the whole
 * store and above what the session's records carry.
 * Does not detect: other processes, worker threads, a second store for the same sessions.
 * Source: our own.
 *
 * @returns a LockStore with `tokenScope: "process"`
 * @throws AttemptError `CONFIG_INVALID` for a `leaseMs` that is no time
 */
export function memoryLocks(options: MemoryLocksOptions = {}): LockStore {
  const { leaseMs = 10_000, clock = systemClock } = options;
  expectMs('leaseMs', leaseMs, { min: 1 });
  return new MemoryLocks(leaseMs, clock);
}

class MemoryLocks implements LockStore {
  readonly capabilities;
  readonly #clock: Clock;
  readonly #held = new Map<string, MemoryLease>();
  readonly #queue = new LocalQueue<Waiter>();
  readonly #tombstones: Tombstones;
  readonly #floorKnown = new Set<string>();
  #lastToken = 0;

  constructor(leaseMs: number, clock: Clock) {
    this.#clock = clock;
    this.capabilities = { leaseMs, tokenScope: 'process', fencedWrites: false } as const;
    this.#tombstones = new Tombstones(clock, leaseMs + ANSWER_MS);
  }

  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    const { session, waitMs, info } = request;
    // The head of the line holds the lock; it leaves its place when it gives the lock back.
    const place = this.#queue.join(session, {
      attemptId: info.attemptId, pid: info.pid, host: info.host, since: this.#clock.wallNow(), sameProcess: true,
    });
    if (!place.isFirst() && waitMs > 0) {
      await waitFor(this.#clock, waitMs, request.signal, (woken) => {
        void place.turn.then(woken);
        return () => {};
      });
    }
    try {
      if (place.isFirst() && this.#isWanted(request)) await this.#learnFloor(request);
    } catch (cause) {
      place.leave();
      return { status: 'unknown', error: new Error(`the session's highest token could not be read`, { cause }) };
    }
    if (!place.isFirst() || !this.#isWanted(request)) {
      place.leave();
      return { status: 'busy', holder: this.#holder(session) };
    }
    return { status: 'granted', lease: this.#grant(request, place.leave) };
  }

  async releaseOwner(session: string, owner: string): Promise<ReleaseAnswer> {
    this.#tombstones.bury(owner);
    const lease = this.#held.get(session);
    return lease?.owner === owner ? lease.release() : 'notHeld';
  }

  async query(session?: string): Promise<readonly SessionStatus[]> {
    const sessions = session === undefined ? this.#queue.keys() : [session];
    return sessions.map((one) => {
      const holder = this.#holder(one);
      return { session: one, holder, waiting: this.#queue.waiting(one).slice(holder ? 1 : 0) };
    });
  }

  async forceRelease(session: string, { token }: { readonly token: number }): Promise<ReleaseAnswer> {
    const lease = this.#held.get(session);
    if (lease?.token !== token) return 'notHeld';
    lease.end(`the lock was taken away by force (token ${token})`);
    return 'released';
  }

  async askHolder(session: string, whom: Pick<Holder, 'token'>, ask: AskToEnd): Promise<AskAnswer> {
    const lease = this.#held.get(session);
    if (!lease || lease.token !== whom.token) return 'notHeld';
    if (refuses(lease.info, ask.as)) return 'refused';
    lease.tell(noticeOf(ask));
    return 'asked';
  }

  #isWanted(request: AcquireRequest): boolean {
    return isStillWanted(request) && !this.#tombstones.has(request.owner);
  }

  #grant({ session, owner, info }: AcquireRequest, leave: () => void): Lease {
    this.#lastToken += 1;
    const lease = new MemoryLease(this.#lastToken, owner, info, this.#clock, this.capabilities.leaseMs, () => {
      this.#held.delete(session);
      leave();
    });
    this.#held.set(session, lease);
    return lease;
  }

  async #learnFloor(request: AcquireRequest): Promise<void> {
    const { session, tokenFloor } = request;
    if (!tokenFloor || this.#floorKnown.has(session)) return;
    const asked = tokenFloor();
    // A read that hangs must not keep the place in line of an asker who has left.
    const woken = await waitFor(this.#clock, Infinity, request.signal, (wake) => {
      asked.then(wake, wake);
      return () => {};
    });
    if (woken === 'cancelled') return void asked.catch(() => {}); // nobody wants the grant, so nobody misses the floor
    this.#lastToken = Math.max(this.#lastToken, await asked);
    if (this.#floorKnown.size >= MOST_FLOORS) this.#floorKnown.clear();
    this.#floorKnown.add(session);
  }

  #holder(session: string): Holder | null {
    const lease = this.#held.get(session);
    if (!lease) return null;
    const { attemptId, pid, host, state, note, labels, supersedable = true } = lease.info;
    return {
      attemptId, owner: lease.owner, token: lease.token, pid, host, since: lease.since, state, note, labels,
      until: null, sameProcess: true, supersedable,
    };
  }
}
