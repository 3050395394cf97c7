/**
 * What comes out of an attempt: two axes, always both. How the work ended, and what became of the lock.
 * Types, and `unwrap`. Owns: the shape users program against.
 */
import type { AbortedBy, LeaseOutcome, TimeoutKind } from '../machines/attempt.types.js';
import type { AbortReason, AttemptError } from './errors.js';
import type { StoreCapabilities } from './locks/lock-store.js';

/** One change of state. `at` is in milliseconds since `start()`. */
export interface Transition {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** The event, or the limit that was over (e.g. `settleMs`). */
  readonly event: string;
}

export interface Timings {
  /** From `start()` to the grant, or to the end of waiting; null if nothing was asked. */
  readonly waitedMs: number | null;
  /** From the grant to the end of the attempt; null if the lock was never held. */
  readonly heldMs: number | null;
  /** From the start of the work until it settled, or until it was no longer waited for; null if never started. */
  readonly ranMs: number | null;
  /** From the first abort to the end of the attempt; null without an abort. */
  readonly abortToReleaseMs: number | null;
}

interface ReportBase {
  readonly attemptId: string;
  readonly session: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Aborts that came after the outcome was decided, each kind once. They changed nothing. */
  readonly lateAborts: readonly AbortedBy[];
  /**
   * - `neverHeld`: a definite no, or nothing was asked
   * - `released`: a release was answered so
   * - `lost`: told so, or the first release was answered "not held"
   * - `unconfirmed`: "not held" after an ask that went unanswered, or never known whether we were granted
   * - `expired`: no answer to any release; the lease has ended by itself
   */
  readonly lease: LeaseOutcome;
  /** The fencing token; null if the lock was never held or its store has no tokens. */
  readonly token: number | null;
  /** How far that token can be trusted to rise: `durable`, `until-failover`, `process`, or `none`. */
  readonly tokenScope: StoreCapabilities['tokenScope'];
  /** What kept zombies out: token, only gate and lock, or nothing because nothing was written. */
  readonly fencing: 'stamped' | 'gated' | 'none';
  /** What the work threw after it had been aborted, if it was not the abort's own error. */
  readonly workError: unknown;
  readonly cleanupError: unknown;
  readonly releaseError: unknown;
  readonly timings: Timings;
  /** The path through the states: the last 64 transitions, and how many earlier ones were dropped. */
  readonly trace: { readonly transitions: readonly Transition[]; readonly dropped: number };
}

interface NotAborted {
  readonly abortedBy: null;
  readonly timeoutKind: null;
  readonly reason: undefined;
  readonly abandoned: false;
}

export interface CompletedReport<T> extends ReportBase, NotAborted {
  readonly outcome: 'completed';
  readonly settled: true;
  readonly value: T;
  readonly error: null;
}

export interface FailedReport extends ReportBase, NotAborted {
  readonly outcome: 'failed';
  readonly settled: true;
  readonly value: undefined;
  /** What the work threw, untouched. */
  readonly error: unknown;
}

export interface NotStartedReport extends ReportBase, NotAborted {
  readonly outcome: 'notStarted';
  readonly settled: null;
  readonly value: undefined;
  /** `LOCK_BUSY`, `LOCK_STORE_FAILED`, `SESSION_OPEN_FAILED` or the more exact code of what failed in opening. */
  readonly error: AttemptError;
}

export interface AbortedReport<T> extends ReportBase {
  readonly outcome: 'aborted';
  readonly abortedBy: AbortedBy;
  /** Which limit it was; null unless `abortedBy` is `timeout`. */
  readonly timeoutKind: TimeoutKind | null;
  /** The reason given with the abort, untouched. */
  readonly reason: unknown;
  /** Null: the work was never started. False: it was no longer waited for, and may still be going. */
  readonly settled: boolean | null;
  /** A timeout ended a run whose work had started. */
  readonly abandoned: boolean;
  /** What the work settled with, if it returned after all. */
  readonly value: T | undefined;
  /** Named `AbortError` or `TimeoutError`; an AttemptError `LEASE_LOST` when the lock was lost. */
  readonly error: AbortReason | AttemptError;
}

/** What became of an attempt. Discriminated by `outcome`. */
export type AttemptReport<T = unknown> = CompletedReport<T> | FailedReport | NotStartedReport | AbortedReport<T>;

/** Which reports were ended by the caller's own signal, so that `unwrap` can rethrow the caller's own reason. */
const bySignal = new WeakMap<object, { readonly reason: unknown }>();

/** Notes that the caller's signal was what ended this attempt. Called by the driver only. */
export function markEndedBySignal(report: AttemptReport, reason: unknown): void {
  bySignal.set(report, { reason });
}

/**
 * The value of a completed attempt, or a throw.
 * @returns what the work returned
 * @throws what the work threw, untouched; the caller's own `signal.reason` when the caller's signal ended the
 * attempt; else `report.error` (AbortError, TimeoutError, or AttemptError with its code)
 */
export function unwrap<T>(report: AttemptReport<T>): T {
  if (report.outcome === 'completed') return report.value;
  const signalled = bySignal.get(report);
  throw signalled ? signalled.reason : report.error;
}
