/**
 * `diagnose()`: what is the matter with a session, or with every session of a directory. Reads only.
 */
import { expect, expectKnown } from '../config-checks.js';
import { classified } from './classify.js';
import type { Diagnosis } from './diagnosis.js';
import { factsOf } from './facts.js';
import { sessionsAt } from './sessions-at.js';

export interface DiagnoseOptions {
  /** Where the locks lie, if not beside the sessions: as given to `localFileLocks`. Default: beside them. */
  readonly directory?: string;
}

/**
 * Looks at a session, or at every session of a directory (not of directories in it), and says what is the matter.
 * Takes nothing, waits for nobody, changes nothing.
 *
 * What is told of another process is as of its last renewal, at most 3 s old; whether it lives is looked up now, and
 * only where that can be told (the same host, boot and pid namespace).
 *
 * @param path a session, or a directory of sessions
 * @returns one diagnosis for each session, sorted by path; none for a directory without sessions
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere, `CONFIG_INVALID` for a wrong option; the native
 *   error where the files cannot be read
 */
export async function diagnose(path: string, options: DiagnoseOptions = {}): Promise<readonly Diagnosis[]> {
  expectKnown(options, ['directory']);
  const { directory } = options;
  expect(typeof path === 'string' && path !== '' && !path.includes('\0'), 'path', 'a session or a directory', path);
  expect(directory === undefined || (typeof directory === 'string' && directory !== ''), 'directory', 'a path', directory);
  const found: Diagnosis[] = [];
  for (const session of sessionsAt(path, directory)) found.push(classified(await factsOf(session, directory)));
  return found;
}
