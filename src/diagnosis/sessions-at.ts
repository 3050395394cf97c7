/**
 * The sessions a path names: itself, or, for a directory, every one in it that has a lock or had an attempt.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AttemptError } from '../errors.js';
import { placesOf } from '../locks/file/session-path.js';

/**
 * @param directory where the locks lie, if not beside the sessions; of a directory then only sessions whose file exists are
 *   found: the names there do not tell of which directory they are
 * @returns paths, sorted; for a directory its own entries only, none from further down
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere
 */
export function sessionsAt(path: string, directory: string | undefined): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    if (stat || existsSync(dirname(path))) return [path];
    throw new AttemptError(
      'SESSION_INVALID', `${path}: expected a session or a directory, found neither it nor its directory`,
    );
  }
  const entries = readdirSync(path, { withFileTypes: true });
  if (directory !== undefined) {
    const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => join(path, name)).sort();
    return files.filter((file) => hadAttempt(file, directory));
  }
  const names = entries.flatMap((entry) => {
    const [, name, kind] = /^(.+)\.(lock|attempt)$/.exec(entry.name) ?? [];
    // A lock of ours, or of plain proper-lockfile; a room only as a directory: a file of that name may be anything.
    if (name === undefined) return [];
    return entry.isDirectory() || (kind === 'lock' && existsSync(join(path, `${name}.attempt`))) ? [name] : [];
  });
  return [...new Set(names)].sort().map((name) => join(path, name));
}

function hadAttempt(session: string, directory: string): boolean {
  const { lock, room } = placesOf(session, directory, 'read');
  return existsSync(room) || existsSync(lock);
}
