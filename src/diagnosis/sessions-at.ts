/**
 * The sessions a path names: itself, or, for a directory, every one in it that has a lock or had an attempt.
 */
import { existsSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AttemptError } from '../errors.js';
import { codeOf } from '../locks/file/errno.js';
import { namesDirectory, placesOf, sessionIn } from '../locks/file/session-path.js';

/** A mistyped path is not a free session: of a session at least the directory is there, and with `dir/` that is meant. */
export function expectSomewhere(path: string): void {
  const whole = resolve(path);
  if (path !== '' && existsSync(namesDirectory(path) ? whole : dirname(whole))) return;
  const found = namesDirectory(path) ? 'no such directory' : 'neither it nor its directory';
  throw new AttemptError('SESSION_INVALID', `${path}: expected a session or a directory, found ${found}`);
}

/**
 * @param directory where the locks lie, if not beside the sessions
 * @returns paths, sorted; for a directory its own entries only, none from further down
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere
 */
export function sessionsAt(path: string, directory: string | undefined): readonly string[] {
  expectSomewhere(path);
  if (!statSync(resolve(path), { throwIfNoEntry: false })?.isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true });
  const names = directory === undefined ? namesBeside(path, entries) : namesElsewhere(path, entries, directory);
  return [...new Set(names)].sort().map((name) => join(path, name));
}

function namesBeside(path: string, entries: readonly Dirent[]): readonly string[] {
  return entries.flatMap((entry) => {
    const [, name, kind] = /^(.+)\.(lock|attempt)$/.exec(entry.name) ?? [];
    // A lock of ours, or of plain proper-lockfile; a room only as a directory: a file of that name may be anything.
    if (name === undefined) return [];
    return entry.isDirectory() || (kind === 'lock' && existsSync(join(path, `${name}.attempt`))) ? [name] : [];
  });
}

/** By the names of locks and rooms, whether there is a file or not; and links from here to sessions of other directories. */
function namesElsewhere(path: string, entries: readonly Dirent[], directory: string): readonly string[] {
  const home = realpathSync.native(path);
  const named = namesIn(directory).flatMap((entry) => sessionIn(home, entry) ?? []);
  const directories = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  const links = entries.filter((entry) => entry.isSymbolicLink() && isLockedElsewhere(join(path, entry.name), home, directory));
  return [...named.filter((name) => !directories.has(name)), ...links.map(({ name }) => name)];
}

/** None if there is no such directory: nobody has locked anything there. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function isLockedElsewhere(link: string, home: string, directory: string): boolean {
  if (!existsSync(link) || !statSync(link).isFile()) return false;
  const { session, lock, room } = placesOf(link, directory, 'read');
  return dirname(session) !== home && (existsSync(room) || existsSync(lock));
}
