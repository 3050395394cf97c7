/**
 * Which file a session is, and where its lock lies. Two spellings of one file are one session.
 * Touches nothing, except that who wants to lock (`make`) gets the session's parent directory made.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readlinkSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { AttemptError } from '../../errors.js';
import { codeOf } from './errno.js';

/** The places of one session. */
export interface Places {
  /** The session's real path. */
  readonly session: string;
  /** The lock: where plain proper-lockfile puts it, so that the two keep each other out. */
  readonly lock: string;
  /** Everything else of ours: tokens, waiters, lock directories not yet in place. */
  readonly room: string;
  /** Permissions of the session file, which our own files follow; null if there is none yet. */
  readonly mode: number | null;
}

/** `make`: the directories needed to lock are made. `read`: nothing is touched. */
export type Purpose = 'make' | 'read';

/** A chain of links longer than this is a circle (the kernel's own limit is 40). */
const MOST_LINKS = 40;

/**
 * The real path of a session that may not exist yet: links are followed, and where the last name is missing the
 * parent's real path is used.
 * @throws AttemptError `SESSION_INVALID` for a directory or a circle of links; the native error for anything else
 */
export function realSession(session: string, purpose: Purpose): string {
  return resolved(session, purpose).path;
}

function resolved(session: string, purpose: Purpose): { readonly path: string; readonly mode: number | null } {
  let path = resolve(session);
  for (let links = 0; links < MOST_LINKS; links += 1) {
    try {
      const real = realpathSync.native(path);
      const stat = statSync(real);
      expectOneFile(session, stat, purpose);
      return { path: real, mode: stat.mode & 0o777 };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    // Missing: either the file itself, or what a link points to.
    if (namesDirectory(session)) throw isDirectory(session, 'the name of a directory, which is not there');
    if (purpose === 'make') mkdirSync(dirname(path), { recursive: true });
    else if (!lstatSync(dirname(path), { throwIfNoEntry: false })) return { path, mode: null };
    path = join(realpathSync.native(dirname(path)), basename(path));
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return { path, mode: null };
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw new AttemptError('SESSION_INVALID', `${session}: expected a file, got a circle of symbolic links`);
}

/** With `sessions/` a directory was meant: where there is nothing of that name, it is not that of a new file. */
export const namesDirectory = (path: string): boolean => path.endsWith('/') || path.endsWith(sep);

const isDirectory = (session: string, got = 'a directory'): AttemptError =>
  new AttemptError('SESSION_INVALID', `${session}: expected a file to lock, got ${got}; name a file in it`);

/** What has another name too would have another lock under it. */
function expectOneFile(session: string, stat: Stats, purpose: Purpose): void {
  if (stat.isDirectory()) throw isDirectory(session);
  if (stat.nlink <= 1 || purpose === 'read') return;
  throw new AttemptError(
    'SESSION_INVALID', `${session}: expected a file with one name, got one with ${stat.nlink} (hard links): an attempt on `
    + 'another of its names would not meet this lock. Replace the link by a copy, or by a symbolic link.',
  );
}

/**
 * What the places of a session begin with, in a directory that holds those of many. The hash cannot be turned round, but it
 * tells whether a file of a known directory is meant: the name is in there.
 * @param real the session's real path
 */
const stemOf = (real: string): string => `${basename(real)}-${createHash('sha256').update(real).digest('hex').slice(0, 16)}`;

/** The name of a session of that directory (its real path) whose lock or room is called so; null: of another one, or neither. */
export function sessionIn(home: string, entry: string): string | null {
  const [, stem, name] = /^((.+)-[0-9a-f]{16})\.(?:lock|attempt)$/.exec(entry) ?? [];
  return name !== undefined && stemOf(join(home, name)) === stem ? name : null;
}

/**
 * Where a session's lock lies.
 * @param directory lay locks there instead of beside the session; the name then carries a hash of the real path
 */
export function placesOf(session: string, directory: string | undefined, purpose: Purpose): Places {
  const { path: real, mode } = resolved(session, purpose);
  if (directory === undefined) return { session: real, lock: `${real}.lock`, room: `${real}.attempt`, mode };
  if (purpose === 'make') mkdirSync(directory, { recursive: true });
  const home = lstatSync(directory, { throwIfNoEntry: false }) ? realpathSync.native(directory) : resolve(directory);
  const stem = join(home, stemOf(real));
  return { session: real, lock: `${stem}.lock`, room: `${stem}.attempt`, mode };
}
