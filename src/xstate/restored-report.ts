/**
 * The report of an attempt that was restored from a persisted snapshot instead of being run to its end.
 * Owns: saying what is known of it, and no more.
 */
import type { AttemptSnapshot } from '../driver/driver.js';
import { AbortReason, AttemptError } from '../errors.js';
import type { AbortedReport } from '../report.js';

/** States in which the lock was held by us and by nobody else. */
const HELD = /^(locked|running\.working|aborting\..+|cleaning)$/;

/**
 * A lease is its process's, so whoever restores an attempt has lost it. An abort that had been decided stays the first one.
 * Where the lock was on its way, to us or back, what became of it is not known: `unconfirmed`.
 * @param then what was seen of the attempt when it was persisted
 */
export function lostInRestoring<T>(then: AttemptSnapshot): AbortedReport<T> {
  const { attemptId, session, labels, state, abortedBy, lateAborts, token, abandoned, workSettled } = then;
  const reason = `restored from a snapshot in which it was ${state}`;
  const all = abortedBy ? [...lateAborts.filter((by) => by !== 'leaseLost'), 'leaseLost' as const] : lateAborts;
  return {
    attemptId, session, labels, outcome: 'aborted', abortedBy: abortedBy ?? 'leaseLost', timeoutKind: null, reason,
    lateAborts: all, lease: HELD.test(state) ? 'lost' : 'unconfirmed', token, settled: workSettled, abandoned,
    tokenScope: token === null ? 'none' : 'process', // which store it was is not known; no more is claimed for its token
    fencing: workSettled === null ? 'none' : 'gated', // what the writer did is not known; nothing is claimed for it
    value: undefined, workError: undefined, cleanupError: undefined, releaseError: undefined,
    error: abortedBy ? new AbortReason(abortedBy, reason) : new AttemptError('LEASE_LOST',
      `${session}: attempt ${attemptId} was ${reason}. Its lock belonged to the process that ran it, and what it did later `
      + 'is not known. What it wrote is in the session; start a new attempt to go on.'),
    timings: { waitedMs: null, heldMs: null, ranMs: null, abortToReleaseMs: null },
    trace: { transitions: [], dropped: 0 },
  };
}
