/**
 * Records kept in a JSONL file: the session is its path.
 *
 * Owns: which file, which stamp, where a rewrite is staged. Must not know: the gate, the machine, how a lock
 * is kept.
 *
 * Durability: an acknowledged append survives the end of the process, not a power loss (no fsync per
 * record); `replace` is synced before it takes effect.
 */
import { randomUUID } from 'node:crypto';
import { AttemptError } from '../errors.js';
import { AppendFile } from './append-file.js';
import { encodeMark, encodeRecord } from './line.js';
import { replaceFile } from './replace-file.js';
import type { OpenRequest, OpenedSession, SessionRecord, SessionRecords } from './session-records.js';
import { streamSession, type SessionEntry } from './read-session.js';
import { highestTokenIn } from './token-scan.js';

/**
 * The default `records`: one JSON object per line, stamped with `"$attempt": <token>` unless `stamp: false`.
 *
 * The file is created by the first append (0o666 less the umask), not by opening; its directory must exist,
 * which the default lock store sees to. It may be plain JSONL of any origin, be rotated, or be deleted in
 * between: the next append goes to where the path then leads.
 *
 * - `open` throws `SESSION_INVALID` (not a regular file, a broken link), `SESSION_OPEN_FAILED`, and
 *   `WRITE_FENCED` where the end of the file carries our token or a higher one: readers would drop what we
 *   acknowledge.
 * - `append` and `appendSync` throw `RECORD_INVALID` (nothing written), `WRITE_FAILED` (count it as not
 *   written), and `WRITE_FENCED` where a higher token has turned up at the end of the file.
 * - `replace` throws those, `WRITE_FENCED` where the lock was taken over, and `REPLACE_UNSUPPORTED` where
 *   the lock has no place to stage in that a takeover would clear. In all cases the session is as it was.
 * - `tokenFloor` reads the whole file, in bounded memory.
 *
 * @returns records for any number of sessions; each `open` holds at most one descriptor, given back by
 *   `close`
 */
export function fileRecords(): SessionRecords {
  return {
    tokenFloor: highestTokenIn,
    recordsBetween: recordsBetween,
    open: (request) => openFile(request),
  };
}

async function recordsBetween(session: string, above: number, below: number): Promise<SessionEntry[]> {
  const between: SessionEntry[] = [];
  for await (const entry of streamSession(session)) {
    if (entry.token !== null && entry.token > above && entry.token < below) between.push(entry);
  }
  return between;
}

function openFile({ session, lease, token, tokenScope, joining = false }: OpenRequest): OpenedSession {
  const file = new AppendFile(lease.session ?? session, token);
  file.open(joining);
  let state: 'open' | 'replacing' | 'closed' = 'open';

  const append = (record: SessionRecord): void => {
    const line = encodeRecord(record, token);
    if (state !== 'open') throw notNow(file.path, state);
    file.append(line);
  };
  const replace = (records: Iterable<SessionRecord>): void => {
    if (state !== 'open') throw notNow(file.path, state);
    const stagedAt = stagingPath(file.path, lease, tokenScope);
    state = 'replacing'; // the iterable is the caller's code: what it appended now would be lost
    try {
      file.detach(); // some systems do not rename over an open file
      replaceFile({
        path: file.path,
        stagedAt,
        lines: linesOf(records, token),
        confirm: () => lease.staging?.confirm() ?? true,
      });
    } finally {
      if ((state as string) !== 'closed') state = 'open';
    }
  };
  return {
    fencing: token === null ? 'gated' : 'stamped',
    append,
    appendSync: append,
    replace,
    close() {
      state = 'closed';
      file.detach();
    },
  };
}

function* linesOf(records: Iterable<SessionRecord>, token: number | null): Generator<string, void> {
  let none = true;
  for (const record of records) {
    none = false;
    yield encodeRecord(record, token);
  }
  if (none && token !== null) yield encodeMark(token);
}

function stagingPath(
  path: string, lease: OpenRequest['lease'], tokenScope: OpenRequest['tokenScope'],
): string {
  if (lease.staging !== undefined) return lease.staging.path();
  // No other process writes this session, and within one nothing can come between the gate and the rename.
  if (tokenScope === 'process') return `${path}.${randomUUID()}.staged`;
  throw new AttemptError('REPLACE_UNSUPPORTED', `Expected a lock that can undo a rewrite of "${path}" when `
    + 'it is taken over, but found one that offers no place to stage it: a fenced attempt could overwrite '
    + 'its successor\'s records. Use localFileLocks() for sessions that are replaced, or append instead.');
}

function notNow(path: string, state: 'replacing' | 'closed'): AttemptError {
  return state === 'closed'
    ? new AttemptError('WRITE_FAILED', `Expected "${path}" to be open, but found it closed. Nothing written.`)
    : new AttemptError('WRITE_FAILED', `Expected no write to "${path}" while replace() reads the records it `
      + 'is given, but found one. Nothing was written. Gather the records first, then replace.');
}
