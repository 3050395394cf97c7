/**
 * The one class of error this library throws or reports, and the reason an aborted signal carries.
 * Owns: the codes. A code never changes its meaning; a message may be reworded.
 */
import type { AbortedBy } from '../machines/attempt.types.js';
import type { Holder } from './locks/lock-store.js';

/**
 * What can go wrong, by stable code.
 *
 * - `CONFIG_INVALID`: an option is wrong; thrown before anything is touched
 * - `SESSION_INVALID`: the session cannot be one (a directory, a broken link)
 * - `LOCK_BUSY`: somebody else holds the lock; carries `holder` and `retryAfterMs`
 * - `LOCK_STORE_FAILED`: the store failed or did not answer; the native error is the `cause`
 * - `UNSAFE_FILESYSTEM`: file locks would not be exclusive there (network, FUSE)
 * - `SESSION_OPEN_FAILED`: locked, but the session could not be opened for writing
 * - `LEASE_LOST`: the lock was taken away while the attempt ran
 * - `LEASE_IN_DOUBT`: the lease's deadline has passed; whether it is still ours is being asked
 * - `LOCK_YIELDED`: a write, or a second window, while the work has given the lock up with `yieldLock()`
 * - `NESTED_ATTEMPT`: an attempt on a session whose lock is held by the very work that asks
 * - `WRITES_UNSETTLED`: writes begun before `yieldLock()` had not ended; the lock was kept
 * - `WRITER_CLOSED`: a write after its attempt left `running` (or its cleanup ended)
 * - `WRITE_FENCED`: a write refused because a higher token is, or may be, at work
 * - `WRITE_FAILED`: the disk or engine refused a write; the native error is the `cause`
 * - `RECORD_INVALID`: not a plain object, not serialisable, or it uses the reserved key
 * - `REPLACE_UNSUPPORTED`: this pair of lock and records cannot replace a session safely
 * - `CLEANUP_TIMED_OUT`: the cleanup did not end within `cleanupMs`
 */
export type AttemptErrorCode =
  | 'CONFIG_INVALID' | 'SESSION_INVALID' | 'LOCK_BUSY' | 'LOCK_STORE_FAILED' | 'UNSAFE_FILESYSTEM'
  | 'LOCK_YIELDED' | 'NESTED_ATTEMPT' | 'WRITES_UNSETTLED' | 'SESSION_OPEN_FAILED' | 'LEASE_LOST'
  | 'LEASE_IN_DOUBT' | 'WRITER_CLOSED' | 'WRITE_FENCED' | 'WRITE_FAILED' | 'RECORD_INVALID'
  | 'REPLACE_UNSUPPORTED' | 'CLEANUP_TIMED_OUT';

/** An operating or programmer's error of this library. `cause` holds the native error where there is one. */
export class AttemptError extends Error {
  readonly code: AttemptErrorCode;
  /** With `LOCK_BUSY`: who holds the lock; null where that is not known. */
  readonly holder: Holder | null = null;
  /** With `LOCK_BUSY`: milliseconds until the holder's lease ends if nobody renews it; null where not known. */
  readonly retryAfterMs: number | null = null;

  /**
   * @param code stable, see {@link AttemptErrorCode}
   * @param message what was expected, what was found, what to do
   * @param facts `cause`: the native error; `holder` and `retryAfterMs`: with `LOCK_BUSY`
   */
  constructor(code: AttemptErrorCode, message: string, facts: AttemptErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.name = 'AttemptError';
    this.code = code;
    if (facts.holder) this.holder = facts.holder;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
  }
}

export interface AttemptErrorFacts {
  readonly cause?: unknown;
  readonly holder?: Holder | null;
  readonly retryAfterMs?: number | null;
}

/**
 * Why a signal of ours fired, and the `error` of an aborted report. Named `AbortError`, or `TimeoutError` for a
 * timeout, with the platform's code `ABORT_ERR`, so that fetch, streams and timers treat it as what it is.
 */
export class AbortReason extends Error {
  readonly code = 'ABORT_ERR';
  readonly abortedBy: AbortedBy;

  /**
   * @param abortedBy who or what ended the attempt
   * @param cause the reason the caller gave, untouched
   */
  constructor(abortedBy: AbortedBy, cause: unknown) {
    super(SENTENCE[abortedBy], cause === undefined ? undefined : { cause });
    this.name = abortedBy === 'timeout' ? 'TimeoutError' : 'AbortError';
    this.abortedBy = abortedBy;
  }
}

const SENTENCE: Record<AbortedBy, string> = {
  user: 'The attempt was stopped by its user.',
  timeout: 'The attempt ran into its time limit.',
  shutdown: 'The attempt was ended because its process is shutting down.',
  superseded: 'The attempt was ended because another one took its place.',
  leaseLost: 'The attempt lost the lock of its session while it ran.',
};

/** The `reason` of an attempt that was stopped from outside (`stopAttempt`, `attempt stop`). */
export class StopAsked extends Error {
  override readonly name = 'StopAsked';
  /** Who asked, as it named itself. */
  readonly by: string;
  /** What it gave as its reason; null if nothing. */
  readonly said: string | null;

  constructor({ by, reason }: { readonly by: string; readonly reason: string | null }) {
    super(`It was asked to stop by ${by}${reason === null ? '' : `: ${reason}`}`);
    this.by = by;
    this.said = reason;
  }
}

/**
 * The reason of signals that only tell a store or an engine to stop: one for all, because making an error, with its
 * stack, costs more than the signal.
 */
export const NOT_WANTED: Error = Object.assign(new Error('It is no longer wanted.'), { name: 'AbortError', code: 'ABORT_ERR' });

/** Anything that was thrown, as text for a message: never throws itself, whatever was thrown. */
export function describe(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message || thrown.name : thrown);
  } catch {
    return 'a value that cannot be shown'; // a toString that throws; the value itself still travels as `cause`
  }
}
