/**
 * A LockStore whose every answer the test gives, when it wants, as often as it wants. It keeps a ledger of what is
 * really held, apart from what it says, so that a report can be compared with the truth.
 */
import type {
  AcquireRequest, AcquireResult, Holder, Lease, LeaseNotice, LockStore, ReleaseAnswer, StoreCapabilities,
} from '../../src/locks/lock-store.js';
import type { VirtualClock } from '../../src/testing/virtual-clock.js';

/** One request for the lock, answered by the test. Answering twice is possible, as it is for a bad store. */
export class Ask {
  #resolve!: (result: AcquireResult) => void;
  #reject!: (error: unknown) => void;
  readonly answer: Promise<AcquireResult>;
  lease: ScriptedLease | null = null;
  /** Has anything been said? What is said later is not heard. */
  isAnswered = false;
  /** A definite no: an honest store grants nothing after it. */
  isRefused = false;

  constructor(readonly store: ScriptedStore, readonly request: AcquireRequest) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #say(result: AcquireResult): void {
    this.isAnswered = true;
    this.#resolve(result);
  }

  /** The lock is theirs; the answer follows at once, or, with `silent`, when `tell()` is called. */
  grant({ silent = false, token }: { silent?: boolean; token?: number } = {}): ScriptedLease {
    const lease = this.store.hold(this.request.owner, token);
    this.lease = lease;
    if (!silent) this.#say({ status: 'granted', lease });
    else lease.renewedUntilStopped = this.store.clock.now(); // nobody knows of it, so nobody renews it
    return lease;
  }

  /** Tells of a grant made silently. */
  tell(): void {
    if (!this.lease || this.isAnswered) return;
    if (this.store.releases.length === 0) this.lease.renewedUntilStopped = null;
    this.#say({ status: 'granted', lease: this.lease });
  }

  busy(holder: Holder | null = null): void {
    this.isRefused ||= !this.isAnswered;
    this.#say({ status: 'busy', holder });
  }

  unknown(error = new Error('the store could not tell')): void {
    this.#say({ status: 'unknown', error });
  }

  reject(error: unknown = new Error('the store failed')): void {
    this.isAnswered = true;
    this.#reject(error);
  }

  /** Whatever a store should never answer. */
  garbage(value: unknown): void {
    this.#say(value as AcquireResult);
  }
}

/** One ask for release, answered by the test. */
export class ReleaseAsk {
  #resolve!: (answer: ReleaseAnswer) => void;
  #reject!: (error: unknown) => void;
  readonly promise: Promise<ReleaseAnswer>;
  /** What was said; null while nothing was. */
  said: ReleaseAnswer | 'rejected' | null = null;
  readonly at: number;

  /** @param byOwner asked by owner, because no grant is known to whoever asks */
  constructor(readonly store: ScriptedStore, readonly owner: string, readonly byOwner: boolean) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.at = store.clock.now();
  }

  /** What an honest store does: frees what is held and says so, or says that nothing was. */
  honestly(): void {
    this.answer(this.store.free(this.owner) ? 'released' : 'notHeld');
  }

  /** Says so, whatever is true. */
  answer(answer: ReleaseAnswer): void {
    this.said ??= answer;
    this.#resolve(answer);
  }

  reject(error: unknown = new Error('the release failed')): void {
    this.said ??= 'rejected';
    this.#reject(error);
  }
}

export class ScriptedLease implements Lease {
  readonly #listeners = new Set<(notice: LeaseNotice) => void>();
  renewedUntilStopped: number | null = null;
  /** Set to a moment to let the deadline stand still there. */
  fixedDeadline: number | null = null;

  constructor(readonly store: ScriptedStore, readonly owner: string, readonly token: number) {}

  get deadline(): number {
    if (this.fixedDeadline !== null) return this.fixedDeadline;
    return (this.renewedUntilStopped ?? this.store.clock.now()) + this.store.capabilities.leaseMs;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  release(): Promise<ReleaseAnswer> {
    return this.store.askRelease(this.owner, false);
  }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  /** Tells whoever listens. A loss also takes the lock away. */
  notify(notice: LeaseNotice): void {
    if (notice.type === 'lost') this.store.free(this.owner);
    for (const fn of Array.from(this.#listeners)) fn(notice);
  }
}

export interface Script {
  /** Called with every request. Default: granted at once. */
  acquire?: (ask: Ask) => void;
  /** Called with every ask for release. Default: honestly and at once. */
  release?: (ask: ReleaseAsk) => void;
}

export class ScriptedStore implements LockStore {
  readonly asks: Ask[] = [];
  readonly releases: ReleaseAsk[] = [];
  readonly capabilities: StoreCapabilities;
  readonly #held = new Map<string, ScriptedLease>();
  #lastToken = 0;

  constructor(
    readonly clock: VirtualClock, readonly script: Script = {}, capabilities: Partial<StoreCapabilities> = {},
  ) {
    this.capabilities = { leaseMs: 10_000, tokenScope: 'durable', fencedWrites: false, ...capabilities };
  }

  /** Is anything held now? A lease that is not renewed any more ends by itself. */
  get held(): number {
    return [...this.#held.values()].filter((lease) => lease.deadline > this.clock.now()).length;
  }

  get ask(): Ask {
    return this.#last(this.asks, 'request');
  }

  get release(): ReleaseAsk {
    return this.#last(this.releases, 'release');
  }

  get lease(): ScriptedLease {
    const { lease } = this.ask;
    if (!lease) throw new Error('nothing was granted');
    return lease;
  }

  hold(owner: string, token?: number): ScriptedLease {
    this.#lastToken = token ?? this.#lastToken + 1;
    const lease = new ScriptedLease(this, owner, this.#lastToken);
    this.#held.set(owner, lease);
    return lease;
  }

  free(owner: string): boolean {
    return this.#held.delete(owner);
  }

  acquire(request: AcquireRequest): Promise<AcquireResult> {
    const ask = new Ask(this, request);
    this.asks.push(ask);
    if (this.script.acquire) this.script.acquire(ask);
    else ask.grant();
    return ask.answer;
  }

  releaseOwner(_session: string, owner: string): Promise<ReleaseAnswer> {
    return this.askRelease(owner, true);
  }

  askRelease(owner: string, byOwner: boolean): Promise<ReleaseAnswer> {
    const lease = this.#held.get(owner);
    if (lease) lease.renewedUntilStopped ??= this.clock.now(); // renewal stops in this very tick
    const ask = new ReleaseAsk(this, owner, byOwner);
    this.releases.push(ask);
    if (this.script.release) this.script.release(ask);
    else ask.honestly();
    return ask.promise;
  }

  async query(): Promise<[]> {
    return [];
  }

  async forceRelease(): Promise<ReleaseAnswer> {
    return 'unknown';
  }

  #last<A>(all: readonly A[], what: string): A {
    const last = all.at(-1);
    if (!last) throw new Error(`there was no ${what}`);
    return last;
  }
}
