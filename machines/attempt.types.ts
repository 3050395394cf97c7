/**
 * The words of the machine: what it is given, what it hears, what it remembers, what it answers.
 * Owns: types only. Must not know: how any of it is performed.
 */

import type { RunClock, Section } from './attempt.run-clock.js';

/** Why an attempt was ended early. `leaseLost` is a fact the lock reports, never a request. */
export type AbortedBy = 'user' | 'timeout' | 'shutdown' | 'superseded' | 'leaseLost';

/** Which limit a timeout was: the run budget, missing progress, or a limit kept by the caller. */
export type TimeoutKind = 'run' | 'idle' | 'external';

/** How the work ended. */
export type Outcome = 'completed' | 'failed' | 'aborted' | 'notStarted';

/** What became of the lock. See `leaseOf` in `attempt.actions.ts` for the exact meaning of each. */
export type LeaseOutcome = 'neverHeld' | 'released' | 'lost' | 'unconfirmed' | 'expired';

/** Why work was never started, when nobody aborted. `detail` is whatever the driver reported with the fact. */
export interface StartFailure {
  readonly code: 'LOCK_BUSY' | 'LOCK_STORE_FAILED' | 'SESSION_OPEN_FAILED';
  readonly detail: unknown;
}

/**
 * Every wait the machine bounds, in milliseconds. Infinity, allowed for `waitMs`, `timeoutMs` and `idleTimeoutMs`
 * only, means "no limit". All others are finite, so that timers alone lead from every abort to the end.
 */
export interface Budgets {
  /** Patience for the lock. 0 asks for one try, which `answerMs` bounds. */
  readonly waitMs: number;
  /** How long a store may take to answer anything. */
  readonly answerMs: number;
  /** How long opening the session may take. */
  readonly openMs: number;
  /** Run budget, counted from entering `running`. */
  readonly timeoutMs: number;
  /** Longest silence between two signs of progress. */
  readonly idleTimeoutMs: number;
  /** How long aborted work may take to settle. 0 does not wait for it. */
  readonly settleMs: number;
  /** How long the caller's cleanup may take. */
  readonly cleanupMs: number;
  /** After this long without renewal the store lets somebody else have the lock. */
  readonly leaseMs: number;
}

export interface AttemptInput {
  readonly budgets: Budgets;
  /** Is there a cleanup to run under the lock? */
  readonly hasCleanup: boolean;
  /** What to do with work that does not settle: go on and keep it out by the token, or keep the lock until it ends. */
  readonly onUnsettled: 'fence' | 'hold';
  /** Does a lease of this store end by itself? False only for a lock without leases (`fromAcquire`). */
  readonly leaseEnds: boolean;
}

/** Requests are in the imperative, facts in the past. An answer carries the number of the command it answers. */
export type AttemptEvent =
  | { type: 'start' }
  | { type: 'abort.user'; reason?: unknown }
  | { type: 'abort.timeout'; reason?: unknown; kind: TimeoutKind }
  | { type: 'abort.shutdown'; reason?: unknown }
  | { type: 'abort.superseded'; reason?: unknown }
  | { type: 'lock.granted'; seq: number; token: number | null }
  | { type: 'lock.busy'; seq: number; holder?: unknown }
  | { type: 'lock.unknown'; seq: number; error?: unknown }
  | { type: 'lease.lost'; reason?: unknown }
  | { type: 'session.opened'; seq: number }
  | { type: 'session.failed'; seq: number; error?: unknown }
  | { type: 'work.returned'; value?: unknown }
  | { type: 'work.threw'; error?: unknown }
  | { type: 'work.progressed' }
  | { type: 'work.idled' }
  | { type: 'work.overran' }
  | ({ type: 'section.entered'; ranMs: number } & Section)
  | ({ type: 'section.left'; ranMs: number } & Section)
  | { type: 'grace.ended' }
  | { type: 'lock.yield' }
  | { type: 'window.ended' }
  | { type: 'cleanup.ended'; seq: number }
  | { type: 'cleanup.failed'; seq: number; error?: unknown }
  | { type: 'release.confirmed'; seq: number }
  | { type: 'release.notHeld'; seq: number }
  | { type: 'release.unknown'; seq: number; error?: unknown };

/** What the machine remembers: facts it was told, in order of life. */
export interface AttemptContext {
  /** What it was given. One key of its own: XState copies the context at every assignment, and pays by the key. */
  readonly input: AttemptInput;
  /** Number of the last command that wants an answer. */
  readonly seq: number;
  /** Number of the last request for the lock; 0 while nothing was asked. */
  readonly request: number;
  /**
   * `asked`: a request whose result is not known. `held`, `known` and `gone` speak of a grant we know of: ours to use;
   * not, or no longer, to be used; ended.
   */
  readonly lock: 'none' | 'asked' | 'refused' | 'held' | 'known' | 'gone';
  readonly token: number | null;
  readonly failure: StartFailure | null;
  readonly abort: { readonly by: AbortedBy; readonly kind: TimeoutKind | null; readonly reason: unknown } | null;
  readonly lateAborts: readonly AbortedBy[];
  readonly work: 'none' | 'pending' | 'returned' | 'threw';
  readonly clock: RunClock;
  readonly value: unknown;
  readonly workError: unknown;
  /** The time for settling is over and the work has not settled. */
  readonly unsettled: boolean;
  readonly abandoned: boolean;
  readonly cleanupError: unknown;
  /** Asks for release of what was last requested, and the number of the first whose answer counts. */
  readonly asks: number;
  readonly firstAsk: number;
  readonly releaseError: unknown;
  readonly lease: LeaseOutcome | null;
}

/** The pure outcome: how the work ended, and what became of the lock. The driver adds times and the trace. */
export interface AttemptOutput {
  readonly outcome: Outcome;
  readonly abortedBy: AbortedBy | null;
  readonly timeoutKind: TimeoutKind | null;
  readonly reason: unknown;
  readonly lateAborts: readonly AbortedBy[];
  readonly lease: LeaseOutcome;
  readonly token: number | null;
  readonly settled: boolean | null;
  readonly abandoned: boolean;
  readonly value: unknown;
  readonly workError: unknown;
  readonly failure: StartFailure | null;
  readonly cleanupError: unknown;
  readonly releaseError: unknown;
}
