/**
 * Permissions of what we lay beside a session: they follow the session file's, so that whoever may write the session
 * may also take its lock over, and whoever may not read it is not told who works on it.
 */
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { codeOf } from './errno.js';
import { OUR_MARK } from './occupant.js';
import type { Places } from './session-path.js';

const directoryModeOf = (mode: number): number => 0o700 | mode | ((mode & 0o444) >> 2);

/** Makes a lock directory that says whose it is. Throws EEXIST if something is there. @param mode of the session */
export function makeMarked(path: string, mode: number | null): void {
  mkdirSync(path, { mode: OUR_MARK | directoryModeOf(mode ?? 0o666) });
}

/**
 * The permissions of a lock that is held: the session's, whatever the process takes away from new files. Our mark stays
 * where it means nothing else: in a directory that others may write to it would keep them from taking the lock over.
 * @param has what it was made with
 */
export function settleMode(lock: string, has: number, mode: number | null): void {
  const bits = mode === null ? has & 0o777 : directoryModeOf(mode);
  const wanted = bits & 0o022 ? bits : bits | (has & OUR_MARK);
  if (wanted !== has) change(lock, wanted);
}

/** The room is a directory, or it becomes one. */
export function makeRoom({ room, mode }: Places): void {
  try {
    const made = mkdirSync(room, { recursive: true });
    if (made === undefined) expectDirectory(room);
    else if (mode !== null) change(room, directoryModeOf(mode));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // EEXIST would read as "somebody holds the lock"; it is no answer but a fault, and says what to remove.
    throw noDirectory(room, 'something else');
  }
}

/** A planted link would have us write, and clear up, somewhere else. Throws ENOENT if nothing is there. */
export function expectDirectory(room: string): void {
  if (lstatSync(room).isSymbolicLink()) throw noDirectory(room, 'a symbolic link');
}

const noDirectory = (room: string, found: string): Error =>
  Object.assign(new Error(`${room}: expected a directory, got ${found}; remove it`), { code: 'ENOTDIR' });

function change(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch { /* a file system that keeps no permissions, or gone meanwhile: who holds the lock does not depend on it */ }
}
