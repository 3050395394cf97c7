/**
 * Taking away what is ours in a lock's place: an owner file with its directory, and what a start left behind.
 * A directory is only ever removed empty: whose it may have become meanwhile is told by that.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { attempted, codeOf } from './errno.js';
import type { ReleaseAnswer } from '../lock-store.js';
import { isSame, occupantOf, STAGED, type Identity, type Occupant } from './occupant.js';
import { parseName } from './owner-entry.js';
import type { Places } from './session-path.js';
import { MOST_STALL_MS, stallMeter } from './stall.js';
import { isAwaited } from './tickets.js';

/** "It is not there", said of a name inside the lock: the lock may have been replaced by something else. */
export const GONE = ['ENOENT', 'ENOTDIR'];

/** Removes a lock of ours by its owner's name. False if that owner is no longer there. */
export function removeOwner(places: Places, entry: string): boolean {
  const stalledMs = stallMeter();
  if (!attempted(() => unlinkSync(join(places.lock, entry)), ...GONE)) return false;
  removeEmpty(places, stalledMs);
  return true;
}

/** Takes away a lock that was left open and that nobody waits for any more. Who does is right behind it, and finds it gone. */
export function removeOpen(places: Places): void {
  try {
    const occupant = occupantOf(places.lock);
    if (occupant.kind === 'open' && !isAwaited(places.room)) removeOwner(places, occupant.entry);
  } catch { /* it is free all the same for whoever comes; `attempt doctor` names it */ }
}

/** A holder that renews between our look and our removal has a new name: how often we look again. */
const MOST_LOOKS = 100;

/** Removes the owner that matches, under whatever name its renewals give it meanwhile. */
export function removeIf(places: Places, matches: (occupant: Occupant & { kind: 'owner' }) => boolean): ReleaseAnswer {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const occupant = occupantOf(places.lock);
    if (occupant.kind !== 'owner' || !matches(occupant)) return 'notHeld';
    if (removeOwner(places, occupant.entry)) return 'released';
  }
  return 'unknown';
}

/** A stray's name is kept as far as it fits: a name may have 255 bytes, and a character of it up to three. */
const MOST_LITTER_NAME = 40;

/**
 * Removes the directory after its owner file is gone. What somebody else put into it is moved to the room, not
 * deleted: it would otherwise keep the session locked for ever.
 * @param stalledMs since before its owner file was removed: after a stop an empty directory there may be a plain user's own
 * lock. It then stays, to be taken over by age.
 */
export function removeEmpty(places: Places, stalledMs: () => number): void {
  const { lock } = places;
  const isDone = (): boolean => stalledMs() >= MOST_STALL_MS || attempted(() => rmdirSync(lock), ...GONE, 'ENOTEMPTY', 'EEXIST');
  if (isDone()) return;
  const entries = entriesOf(lock);
  // Gone, a successor's, or emptied by somebody else, who may be in it by now: it then ages.
  if (entries.length === 0 || entries.some((entry) => parseName(entry) !== null)) return;
  for (const entry of entries) clearEntry(places, entry);
  isDone();
}

function entriesOf(lock: string): string[] {
  try {
    return readdirSync(lock);
  } catch (error) {
    if (GONE.includes(codeOf(error) ?? '')) return [];
    throw error;
  }
}

/** Out of the lock: a file that was staged is deleted; whatever else lies there, also under such a name, is kept in the room. */
export function clearEntry({ lock, room }: Places, entry: string): void {
  const path = join(lock, entry);
  const isStaged = entry.startsWith(STAGED) && !lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
  const litter = join(room, `litter.${Date.now()}.${randomUUID().slice(0, 8)}.${entry.slice(-MOST_LITTER_NAME)}`);
  attempted(() => (isStaged ? unlinkSync(path) : renameSync(path, litter)), ...GONE);
}

/** Takes back a directory we have just made and could not populate. */
export function discardEmpty(lock: string, made: Identity): void {
  try {
    if (isSame(lock, made)) rmdirSync(lock);
  } catch {
    // The error that brought us here is the one to tell; an empty directory is taken over by age.
  }
}

export function discardStaged(staged: string): void {
  try {
    rmSync(staged, { recursive: true, force: true });
  } catch {
    // As above; a later grant removes it (`clearAbandoned` in `tokens.ts`).
  }
}
