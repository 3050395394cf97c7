/**
 * Puts a new file in place of the session's, at once or not at all, and never over a successor's.
 *
 * Owns: the staged file. Must not know: records, gates. Everything happens in one tick.
 *
 * Why a zombie cannot do harm: it stages inside the lock, where a takeover removes what it finds before it
 * grants. So if the lock was still ours after the staged file was there (`confirm`), whoever is granted
 * later has removed it, and the rename of a zombie fails.
 */
import {
  closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, realpathSync, renameSync, rmSync,
  statSync, writeSync,
} from 'node:fs';
import { AttemptError, describe } from '../errors.js';

/** Lines are written in pieces of about this many bytes: few calls, little memory. */
const PIECE_BYTES = 1024 * 1024;

export interface Replacement {
  /** The session's file. A link is followed: what it points to is replaced. */
  readonly path: string;
  /** Where the new file is staged. Must be on the same file system, and ours alone. */
  readonly stagedAt: string;
  /** Lines with their newlines. May throw: then the session is untouched. */
  readonly lines: Iterable<string>;
  /** Is the lock still ours? Asked when the staged file is complete. */
  readonly confirm: () => boolean;
}

/**
 * @throws AttemptError `WRITE_FENCED` (the lock is gone), `WRITE_FAILED`, `REPLACE_UNSUPPORTED`; what
 *   `lines` throws. In each case the session is as it was and nothing stays staged.
 */
export function replaceFile({ path, stagedAt, lines, confirm }: Replacement): void {
  let created = false;
  try {
    const fd = openSync(stagedAt, 'wx', 0o666);
    created = true;
    try {
      takeOwnershipOf(path, fd);
      writeAll(fd, lines);
      fsyncSync(fd); // or a power loss after the rename could leave an empty file where records were
    } finally {
      closeSync(fd);
    }
    if (!confirm()) throw fenced(path);
    renameSync(stagedAt, followed(path));
  } catch (error) {
    if (created) discard(stagedAt);
    throw failed(error, path);
  }
}

/**
 * The same permissions and, where we may give them, the same owner and group as the file that is replaced.
 */
function takeOwnershipOf(path: string, fd: number): void {
  const old = statSync(path, { throwIfNoEntry: false });
  if (old === undefined) return;
  const now = fstatSync(fd);
  if (old.uid !== now.uid || old.gid !== now.gid) {
    try {
      fchownSync(fd, old.uid, old.gid);
    } catch {
      // Only root may give files away. Then the new file is ours, as with any editor that saves by renaming.
    }
  }
  fchmodSync(fd, old.mode & 0o7777); // after chown, which may clear bits
}

function writeAll(fd: number, lines: Iterable<string>): void {
  let pieces: string[] = [];
  let length = 0;
  const flush = (): void => {
    const bytes = Buffer.from(pieces.join(''));
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    pieces = [];
    length = 0;
  };
  for (const line of callersLines(lines)) {
    pieces.push(line);
    length += line.length;
    if (length >= PIECE_BYTES) flush();
  }
  flush();
}

/** What the caller's iterable throws is theirs, even where it looks like an error of the disk. */
class CallersError extends Error {}

function* callersLines(lines: Iterable<string>): Generator<string, void, undefined> {
  try {
    yield* lines;
  } catch (error) {
    throw new CallersError('', { cause: error });
  }
}

function followed(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync.native(path);
}

function discard(stagedAt: string): void {
  try {
    rmSync(stagedAt);
  } catch {
    // It is gone, or stays inside the lock and goes with it: release and takeover both remove what is staged.
  }
}

function failed(error: unknown, path: string): unknown {
  if (error instanceof CallersError) return error.cause;
  if (error instanceof AttemptError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return fenced(path, error); // the staged file or the lock around it was removed
  if (code === 'EXDEV') {
    return new AttemptError('REPLACE_UNSUPPORTED', `Expected the lock of "${path}" on the same file system `
      + 'as the session, but found another. Leave out the lock\'s directory option, or append instead.', {
      cause: error,
    });
  }
  return new AttemptError('WRITE_FAILED', `Expected to replace "${path}", but found: ${describe(error)}. `
    + 'The session is as it was.', { cause: error });
}

function fenced(path: string, cause?: unknown): AttemptError {
  return new AttemptError('WRITE_FENCED', `Expected to hold the lock of "${path}" while replacing it, but `
    + 'it was taken over. The session is as its new holder wants it; stop this work.', { cause });
}
