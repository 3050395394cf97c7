/**
 * Where a rewrite of the session is prepared: in the lock itself, so that whoever takes the lock over takes it away, too.
 */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AttemptError } from '../../errors.js';
import type { OwnLock } from './lock-directory.js';
import { STAGED } from './occupant.js';

/** @throws AttemptError `REPLACE_UNSUPPORTED`: no rename leads from there to the session */
export function stagingPath({ places: { session, lock }, id }: OwnLock): string {
  if (lstatSync(dirname(session)).dev !== lstatSync(lock).dev) {
    throw new AttemptError(
      'REPLACE_UNSUPPORTED',
      `replace(): expected the lock on the file system of the session, got ${lock} on another one; `
      + 'keep the lock beside the session (no `directory`), or rewrite the session without attempts running.',
    );
  }
  return join(lock, `${STAGED}${id}.${process.pid}`);
}
