/**
 * Makes the report: the machine's pure outcome, plus times, trace and errors in words.
 */
import { hostname } from 'node:os';
import { NO_ANSWER, OVER_TIME } from '../../machines/attempt.actions.js';
import type { AttemptOutput, StartFailure } from '../../machines/attempt.types.js';
import { AbortReason, AttemptError, describe } from '../errors.js';
import type { Holder } from '../locks/lock-store.js';
import type { AttemptSpec } from '../options.js';
import type { AbortedReport, AttemptReport, Timings, Transition } from '../report.js';
import { warn } from '../warnings.js';
import { holderInWords, leaseEndInWords } from '../text.js';
import type { Fencing } from '../session/writer.js';

/** What the driver adds to the pure outcome. */
export interface ReportFacts {
  readonly timings: Timings;
  readonly trace: { readonly transitions: readonly Transition[]; readonly dropped: number };
  readonly fencing: Fencing;
}

export function reportOf<T>(spec: AttemptSpec<T>, output: AttemptOutput, facts: ReportFacts): AttemptReport<T> {
  const { attemptId, session, labels, budgets } = spec;
  const { value, workError } = output;
  const base = {
    attemptId, session, labels, lateAborts: output.lateAborts, lease: output.lease, token: output.token,
    tokenScope: spec.locks.capabilities.tokenScope,
    fencing: facts.fencing, workError: undefined as unknown, releaseError: releaseErrorOf(output.releaseError),
    cleanupError: output.cleanupError === OVER_TIME
      ? new AttemptError('CLEANUP_TIMED_OUT', `the cleanup had not ended after cleanupMs (${budgets.cleanupMs})`)
      : output.cleanupError,
    timings: facts.timings, trace: facts.trace,
  };
  // Assigned, not spread: a spread that adds properties gives each report a hidden class of its own.
  const notAborted = { abortedBy: null, timeoutKind: null, reason: undefined, abandoned: false } as const;
  switch (output.outcome) {
    case 'completed':
      return Object.assign(base, notAborted, { outcome: 'completed', settled: true, value: value as T, error: null } as const);
    case 'failed':
      return Object.assign(base, notAborted, { outcome: 'failed', settled: true, value: undefined, error: workError } as const);
    case 'notStarted':
      return Object.assign(base, notAborted, {
        outcome: 'notStarted', settled: null, value: undefined, error: startError(spec, output.failure as StartFailure),
      } as const);
    case 'aborted':
      return Object.assign(base, abortOf<T>(spec, output));
  }
}

/** A lock that may still be held for a while is something to know, whatever became of the work. */
export function warnUnlessConfirmed({ lease, session, attemptId }: AttemptReport): void {
  if (lease !== 'unconfirmed' && lease !== 'expired') return;
  warn('UNCONFIRMED', `${session}: no release of attempt ${attemptId}'s lock was confirmed (${lease}).`);
}

type AbortFacts<T> = Pick<
  AbortedReport<T>,
  'outcome' | 'abortedBy' | 'timeoutKind' | 'reason' | 'settled' | 'abandoned' | 'value' | 'error' | 'workError'
>;

function abortOf<T>(spec: AttemptSpec<T>, output: AttemptOutput): AbortFacts<T> {
  const abortedBy = output.abortedBy ?? 'user';
  const error = abortedBy === 'leaseLost'
    ? lostError(spec, output)
    : new AbortReason(abortedBy, output.reason);
  return {
    outcome: 'aborted', abortedBy, timeoutKind: output.timeoutKind, reason: output.reason, settled: output.settled,
    abandoned: output.abandoned, value: output.value as T | undefined, error,
    workError: isAbortItself(output) ? undefined : output.workError,
  };
}

/** Lost while held, or not to be had back after a window: then the reason is why a request failed. */
function lostError<T>(spec: AttemptSpec<T>, { reason }: AttemptOutput): AttemptError {
  const failure = isStartFailure(reason) ? startError(spec, reason) : null;
  const what = failure
    ? `given up for a window of its work, and could not be had back: ${failure.message}`
    : `lost while the attempt ran: ${describe(reason ?? '') || 'no reason given'}.`;
  return new AttemptError('LEASE_LOST', `${spec.session}: the lock was ${what} Records it wrote before are in the `
    + 'session, those it tried to write later were refused; what else it did was not.', failure ? { cause: failure } : {});
}

const isStartFailure = (reason: unknown): reason is StartFailure =>
  typeof reason === 'object' && reason !== null && 'code' in reason && 'detail' in reason && !(reason instanceof Error);

/** Work that ends by throwing the abort at us has said nothing new. */
function isAbortItself({ workError, reason }: AttemptOutput): boolean {
  try {
    return workError instanceof AbortReason || workError === reason
      || (workError as { name?: unknown } | null | undefined)?.name === 'AbortError';
  } catch {
    return false; // an error that cannot even be looked at is not ours; it travels untouched
  }
}

const releaseErrorOf = (thrown: unknown): unknown =>
  thrown === NO_ANSWER ? new AttemptError('LOCK_STORE_FAILED', 'a release was not answered in time') : thrown;

/** The caller's own mistakes, which a store only meets: it has not failed. */
const SAID_ITSELF: ReadonlySet<string> = new Set(['NESTED_ATTEMPT', 'SESSION_INVALID']);

function startError<T>(spec: AttemptSpec<T>, { code, detail: cause }: StartFailure): AttemptError {
  const { session, budgets, clock } = spec;
  if (cause instanceof AttemptError && SAID_ITSELF.has(cause.code)) return cause;
  if (code === 'LOCK_BUSY') {
    const holder = typeof cause === 'object' ? cause as Holder | null : null;
    return busyError(session, holder, budgets.waitMs, clock.wallNow());
  }
  if (code === 'SESSION_OPEN_FAILED') {
    if (cause instanceof AttemptError) return cause;
    const what = cause === undefined ? `it had not opened after openMs (${budgets.openMs})` : describe(cause);
    const message = `${session}: locked, but it could not be opened: ${what}`;
    return new AttemptError('SESSION_OPEN_FAILED', message, { cause });
  }
  const what = cause === undefined ? `no answer within answerMs (${budgets.answerMs})` : describe(cause);
  return new AttemptError('LOCK_STORE_FAILED', `${session}: its lock could not be asked for: ${what}`, { cause });
}

/** A busy lock in words: who, since when, in which state, until when. */
export function busyError(session: string, holder: Holder | null, waitMs: number, now: number): AttemptError {
  const retryAfterMs = typeof holder?.until === 'number' ? Math.max(0, holder.until - now) : null;
  const waited = waitMs === 0 ? 'one try' : `${waitMs} ms of waiting`;
  return new AttemptError(
    'LOCK_BUSY',
    // No holder was told: patience may have ended before the store could say whether there is one.
    (holder ? `${session} is locked, after ${waited}: ${inWords(holder, now)}. `
      : `${session} was refused us, or not locked for us within ${waited}; who holds it, if anybody does, was not told. `)
      + 'Wait longer (waitMs), or try again later.',
    { holder, retryAfterMs },
  );
}

/** Never throws: what a store tells is somebody else's. */
function inWords(holder: Holder, now: number): string {
  try {
    const end = leaseEndInWords(holder.until ?? null, now);
    return `${holderInWords(holder, now, hostname())}${end === '' ? '' : `; ${end}`}`;
  } catch {
    return 'the holder cannot be shown'; // a store that answers with something else; it still travels in `holder`
  }
}
