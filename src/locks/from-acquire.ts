/**
 * Any lock one already has, as a LockStore: the way to migrate. It has no leases and no tokens, and says so.
 */
import { systemClock, type Clock } from '../clock.js';
import { expect, expectKnown, expectMs } from '../config-checks.js';
import type {
  AcquireRequest, AcquireResult, AskAnswer, AskToEnd, Holder, Lease, LeaseNotice, LockStore, ReleaseAnswer, SessionStatus,
} from './lock-store.js';
import { describe } from '../errors.js';
import { noticeOf, refuses } from './asking.js';
import { Notices } from './notices.js';
import { warn } from '../warnings.js';
import { waitFor } from './patience.js';
import { Tombstones } from './tombstones.js';

/** Gives the lock back. May be asynchronous; a throw is an unknown answer, and it is then called again. */
export type Release = () => unknown;

/**
 * Takes a lock. Resolve to its release function; to null or undefined for a definite no. `signal` fires when the
 * lock is no longer wanted; what is granted after that is given back. A rejection counts as unknown.
 */
export type Acquire = (
  session: string, request: { readonly signal: AbortSignal; readonly waitMs: number },
) => Promise<Release | null | undefined>;

export interface FromAcquireOptions {
  /** How long a release may take before the report calls the lock `unconfirmed`, milliseconds. Default: 5 000. */
  releaseMs?: number;
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** The pause after a release that threw; it doubles each time. */
const FIRST_RETRY_MS = 50;

/** How long an answer may be on its way; the tombstone outlives it. The default of an attempt's `answerMs`. */
const ANSWER_MS = 5_000;

class BorrowedLock implements Lease {
  readonly token = 0;
  /** It never ends by itself. */
  readonly deadline = Infinity;
  readonly since: number;
  /** That its end is asked for is all it ever tells: the lock below has no news. */
  readonly notices = new Notices();
  readonly #free: () => void;
  readonly #release: Release;
  #releasing: Promise<ReleaseAnswer> | null = null;
  #answered = false;

  constructor(readonly request: AcquireRequest, release: Release, clock: Clock, free: () => void) {
    this.#release = release;
    this.#free = free;
    this.since = clock.wallNow();
  }

  get owner(): string {
    return this.request.owner;
  }

  /** A call still under way is joined, not repeated: the lock below may not bear being released twice. */
  release(): Promise<ReleaseAnswer> {
    if (this.#answered) return Promise.resolve('notHeld');
    this.#releasing ??= this.#try().finally(() => { this.#releasing = null; });
    return this.#releasing;
  }

  async #try(): Promise<ReleaseAnswer> {
    await this.#release();
    this.#answered = true;
    this.#free();
    return 'released';
  }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    return this.notices.listen(fn);
  }
}

/**
 * Wraps a lock you have as a LockStore.
 *
 * Guarantees: what your lock guarantees; a grant that nobody wants any more is released.
 * Does not detect: a lost lock, a zombie (no tokens: lines go unstamped, `report.token` is null), other holders.
 * Source: our own.
 *
 * @param acquire takes the lock, see {@link Acquire}
 * @returns a LockStore with `tokenScope: "none"`
 * @throws AttemptError `CONFIG_INVALID`
 */
export function fromAcquire(acquire: Acquire, options: FromAcquireOptions = {}): LockStore {
  expectKnown(options, ['releaseMs', 'clock']);
  const { releaseMs = 5_000, clock = systemClock } = options;
  expect(typeof acquire === 'function', 'acquire', 'a function', acquire);
  expectMs('releaseMs', releaseMs, { min: 1 });
  return new BorrowedLocks(acquire, releaseMs, clock);
}

class BorrowedLocks implements LockStore {
  readonly capabilities;
  readonly #acquire: Acquire;
  readonly #clock: Clock;
  readonly #held = new Map<string, BorrowedLock>();
  readonly #asked = new Map<string, AcquireRequest & { readonly since: number }>();
  readonly #tombstones: Tombstones;

  constructor(acquire: Acquire, releaseMs: number, clock: Clock) {
    this.#acquire = acquire;
    this.#clock = clock;
    this.capabilities = { leaseMs: releaseMs, tokenScope: 'none', fencedWrites: false } as const;
    this.#tombstones = new Tombstones(clock, releaseMs + ANSWER_MS);
  }

  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    const { owner, signal } = request;
    if (signal.aborted) return { status: 'busy', holder: null };
    this.#asked.set(owner, { ...request, since: this.#clock.wallNow() });
    try {
      const release = await this.#withPatience(request, this.#ask(request));
      return await this.#granted(request, release);
    } catch (error) {
      if (signal.aborted) return { status: 'busy', holder: null }; // It gave up because it was told to.
      return { status: 'unknown', error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      this.#asked.delete(owner);
    }
  }

  /** A lock that throws, or answers at once instead of promising, has given the same answer. */
  async #ask({ session, signal, waitMs }: AcquireRequest): Promise<Release | null | undefined> {
    const release = await this.#acquire(session, { signal, waitMs });
    if (release !== null && release !== undefined) {
      expect(typeof release === 'function', 'acquire', 'a release function, or null for "busy"', release);
    }
    return release;
  }

  /** A lock that does not look at its signal is left behind at the end of patience; what it grants is given back. */
  async #withPatience(request: AcquireRequest, asked: Promise<Release | null | undefined>) {
    const patienceMs = request.waitMs === 0 ? Infinity : request.waitMs; // one try takes the time it takes
    const woken = await waitFor(this.#clock, patienceMs, request.signal, (wake) => {
      asked.then(wake, wake);
      return () => {};
    });
    if (woken === 'event') return asked;
    asked.then((release) => {
      if (release) return this.#giveBackLate(this.#lease(request, release));
    }, () => {}); // a refusal that nobody waits for any more
    return null;
  }

  /** Nobody else is there to ask again, so it is done here: until `releaseMs` after the first ask. */
  async #giveBackLate(lease: BorrowedLock): Promise<void> {
    const until = this.#clock.now() + this.capabilities.leaseMs;
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs *= 2) {
      try {
        await lease.release();
        return;
      } catch (thrown) {
        if (this.#clock.now() + pauseMs <= until) {
          await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, pauseMs));
          continue;
        }
        const { session } = lease.request;
        return warn('UNCONFIRMED', `${session}: a lock that came too late could not be released: ${describe(thrown)}`);
      }
    }
  }

  #granted(request: AcquireRequest, release: Release | null | undefined): AcquireResult | Promise<AcquireResult> {
    if (!release) return { status: 'busy', holder: this.#holder(request.session) };
    const lease = this.#lease(request, release);
    if (!request.signal.aborted && !this.#tombstones.has(request.owner)) return { status: 'granted', lease };
    return lease.release().then(
      () => ({ status: 'busy', holder: null }) as const,
      (error: Error) => ({ status: 'unknown', error }) as const,
    );
  }

  #lease(request: AcquireRequest, release: Release): BorrowedLock {
    const lease: BorrowedLock = new BorrowedLock(request, release, this.#clock, () => this.#held.delete(request.owner));
    this.#held.set(request.owner, lease);
    return lease;
  }

  async releaseOwner(_session: string, owner: string): Promise<ReleaseAnswer> {
    this.#tombstones.bury(owner);
    const lease = this.#held.get(owner);
    if (lease) return lease.release();
    return this.#asked.has(owner) ? 'unknown' : 'notHeld';
  }

  async query(session?: string): Promise<readonly SessionStatus[]> {
    const all = [...this.#held.values()].map((lease) => lease.request.session);
    const asked = [...this.#asked.values()];
    const sessions = session === undefined ? [...new Set([...all, ...asked.map((one) => one.session)])] : [session];
    return sessions.map((one) => ({
      session: one,
      holder: this.#holder(one),
      waiting: asked.filter((request) => request.session === one).map(({ info, since }) => ({
        attemptId: info.attemptId, pid: info.pid, host: info.host, since, sameProcess: true,
      })),
    }));
  }

  /** There is no token to prove anything by. */
  async forceRelease(): Promise<ReleaseAnswer> {
    return 'unknown';
  }

  /** Who holds it through this store is told; who holds the lock below in another way cannot be asked. */
  async askHolder(_session: string, { owner }: Pick<Holder, 'owner'>, ask: AskToEnd): Promise<AskAnswer> {
    if (owner === null) return 'unknown';
    const lease = this.#held.get(owner);
    if (!lease) return 'notHeld';
    if (refuses(lease.request.info, ask.as)) return 'refused';
    lease.notices.tell(noticeOf(ask));
    return 'asked';
  }

  #holder(session: string): Holder | null {
    const lease = [...this.#held.values()].find((one) => one.request.session === session);
    if (!lease) return null;
    const { attemptId, pid, host, state, note, labels, supersedable = true } = lease.request.info;
    return {
      attemptId, owner: lease.owner, token: null, pid, host, since: lease.since, state, note, labels,
      until: null, sameProcess: true, supersedable,
    };
  }
}
