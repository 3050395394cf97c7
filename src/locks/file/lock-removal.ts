/**
 * Taking away what is ours in a lock's place: an owner file with its directory, and what a start left behind.
 * A directory is only ever removed empty: whose it may have become meanwhile is told by that.
 */
import { readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { attempted, codeOf } from './errno.js';
import type { ReleaseAnswer } from '../lock-store.js';
import { isSame, occupantOf, STAGED, type Identity, type Occupant } from './occupant.js';
import { parseName } from './owner-entry.js';
import type { Places } from './session-path.js';

/** "It is not there", said of a name inside the lock: the lock may have been replaced by something else. */
export const GONE = ['ENOENT', 'ENOTDIR'];

/** Removes a lock of ours by its owner's name. False if that owner is no longer there. */
export function removeOwner(places: Places, entry: string): boolean {
  if (!attempted(() => unlinkSync(join(places.lock, entry)), ...GONE)) return false;
  removeEmpty(places);
  return true;
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
 */
export function removeEmpty({ lock, room }: Places): void {
  if (attempted(() => rmdirSync(lock), ...GONE, 'ENOTEMPTY', 'EEXIST')) return;
  const entries = entriesOf(lock);
  // Gone, a successor's, or emptied by somebody else, who may be in it by now: it then ages.
  if (entries.length === 0 || entries.some((entry) => parseName(entry) !== null)) return;
  entries.forEach((entry, index) => {
    const litter = join(room, `litter.${Date.now()}.${index}.${entry.slice(-MOST_LITTER_NAME)}`);
    if (entry.startsWith(STAGED)) attempted(() => unlinkSync(join(lock, entry)), ...GONE);
    else attempted(() => renameSync(join(lock, entry), litter), ...GONE);
  });
  attempted(() => rmdirSync(lock), ...GONE, 'ENOTEMPTY', 'EEXIST');
}

function entriesOf(lock: string): string[] {
  try {
    return readdirSync(lock);
  } catch (error) {
    if (GONE.includes(codeOf(error) ?? '')) return [];
    throw error;
  }
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
