/**
 * The sessions a path names: itself, or, for a directory, every one in it that has a lock or had an attempt.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AttemptError } from '../errors.js';

/**
 * @returns paths, sorted; for a directory its own entries only, none from further down
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere
 */
export function sessionsAt(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    if (stat || existsSync(dirname(path))) return [path];
    throw new AttemptError(
      'SESSION_INVALID', `${path}: expected a session or a directory, found neither it nor its directory`,
    );
  }
  const names = readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const [, name, kind] = /^(.+)\.(lock|attempt)$/.exec(entry.name) ?? [];
    // A lock of ours, or of plain proper-lockfile; a room only as a directory: a file of that name may be anything.
    if (name === undefined) return [];
    return entry.isDirectory() || (kind === 'lock' && existsSync(join(path, `${name}.attempt`))) ? [name] : [];
  });
  return [...new Set(names)].sort().map((name) => join(path, name));
}
