/**
 * Which attempt had which token, as far as it is still known: from the kept reports, and from whoever holds the lock.
 */
import { lastReports } from '../locks/file/last-reports.js';
import { occupantAndRecord } from '../locks/file/occupant.js';
import { placesOf } from '../locks/file/session-path.js';

/**
 * Tokens and attempt ids of at most the last 20 attempts that ended, and of the one at work. An attempt that was
 * killed has left no report: its id is not known once its lock has been taken over.
 * @param directory where its lock lies, if not beside it
 */
export function attemptNames(session: string, directory: string | undefined): ReadonlyMap<number, string> {
  try {
    const { lock, room } = placesOf(session, directory, 'read');
    const names = new Map(lastReports(room).reports.map(({ token, attemptId }) => [token, attemptId]));
    const { occupant, record } = occupantAndRecord(lock);
    if (occupant.kind === 'owner' && record?.attemptId !== undefined) names.set(occupant.name.token, record.attemptId);
    return names;
  } catch {
    return new Map(); // it only explains: whatever is wrong with the places, the records can be shown
  }
}
