/**
 * The times of file locks: their bounds, and how often they are looked after.
 */

/** proper-lockfile's own floor: below this a plain user beside us could not keep up. */
export const LEAST_LEASE_MS = 2_000;

/** Renewed at a third of the lease, and often enough that plain proper-lockfile (stale 10 s) sees a fresh lock. */
export const MOST_RENEW_MS = 3_000;

/** How long an answer may be on its way; the tombstone outlives it. The default of an attempt's `answerMs`. */
export const ANSWER_MS = 5_000;
