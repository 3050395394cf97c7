/**
 * Why a write did not begin, as errors. Owns: the messages of the gate and of records that lack a way to
 * write. Must not know: how the verdict was reached.
 */
import { AttemptError } from '../errors.js';
import type { GateVerdict } from './gate.js';
import type { OpenedSession, SessionRecord } from './session-records.js';

/** The error for a verdict other than `open`. */
export function refusal(verdict: GateVerdict, token: number | null, answerMs: number): AttemptError {
  const attempt = token === null ? 'this attempt' : `the attempt with token ${token}`;
  switch (verdict) {
    case 'lost':
      return new AttemptError('WRITE_FENCED', `Expected ${attempt} to hold the lock of its session, but the `
        + 'lock was lost. Nothing was written. End this work; the session goes on without it.');
    case 'yielded':
      return new AttemptError('LOCK_YIELDED', `Expected ${attempt} to hold the lock of its session, but its work `
        + 'has given it up with yieldLock() and does not have it back. Nothing was written. Write after the await.');
    case 'doubt':
      return new AttemptError('LEASE_IN_DOUBT', `Expected the lease of ${attempt} to be valid, but its `
        + 'deadline has passed (a blocked process or a sleeping machine) and whether it is still ours is '
        + `being asked. Nothing was written. Use append(): it waits up to ${answerMs} ms.`);
    default:
      return new AttemptError('WRITER_CLOSED', `Expected ${attempt} to be running, but it has ended or is `
        + 'being ended. Nothing was written. Await your writes before the work returns, heed the signal, '
        + 'and put last records into cleanup.');
  }
}

type Method = 'append' | 'appendSync' | 'replace';
type With<M extends Method> = OpenedSession & Required<Pick<OpenedSession, M>>;

/**
 * The opened session, if it can do this.
 *
 * @throws AttemptError `CONFIG_INVALID`, `REPLACE_UNSUPPORTED`, `RECORD_INVALID` (records that cannot be
 *   iterated)
 */
export function ableTo<M extends Method>(
  opened: OpenedSession | null, method: M, records?: Iterable<SessionRecord>,
): With<M> {
  if (opened === null) {
    throw new AttemptError('CONFIG_INVALID', `Expected records to ${method} to, but this attempt was made `
      + 'with records: "none". Write through guard(), or leave the option out.');
  }
  if (method === 'appendSync' && opened.appendSync === undefined) {
    throw new AttemptError('CONFIG_INVALID', 'Expected records that can append synchronously, but this '
      + 'engine cannot. Use append() and await it.');
  }
  if (method === 'replace') {
    if (opened.replace === undefined) {
      throw new AttemptError('REPLACE_UNSUPPORTED', 'Expected records that can be replaced, but this engine '
        + 'cannot. Append, or use fileRecords().');
    }
    if (typeof records !== 'object' || typeof records?.[Symbol.iterator] !== 'function') {
      throw new AttemptError('RECORD_INVALID', 'Expected an iterable of records, for instance an array, but '
        + 'found none. Nothing was written. For an async source, gather the records first.');
    }
  }
  return opened as With<M>;
}
