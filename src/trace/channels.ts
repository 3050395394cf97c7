/**
 * The channels of `node:diagnostics_channel` on which a process tells what its attempts do. Whoever observes (a trace
 * file, telemetry, the page) subscribes here; nobody else need know of them. While nobody subscribes nothing is made.
 * Owns: their names, which stay the same within a major version.
 */
import { channel } from 'node:diagnostics_channel';

/** Every record of every attempt of this process: see `TraceRecord`. */
export const RECORDS_CHANNEL = 'attempt-lifecycle:records';
/** A lock that arrived after its attempt had ended, and was given back: `{ count }` since the process began. */
export const LATE_GRANT_CHANNEL = 'attempt-lifecycle:late-grant';
/** Records a reader left out: `{ count }` of this reading. */
export const DISCARDED_CHANNEL = 'attempt-lifecycle:discarded';

export const recordsChannel = channel(RECORDS_CHANNEL);
export const lateGrantChannel = channel(LATE_GRANT_CHANNEL);
export const discardedChannel = channel(DISCARDED_CHANNEL);
