/**
 * Who occupies a lock's place, as the disk tells it. Looks only; decides and changes nothing.
 */
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from './errno.js';
import { parseName, readRecord, type OwnerName, type OwnerRecord } from './owner-entry.js';

/** One directory among those that follow each other at a path. Some systems reuse an inode at once. */
export interface Identity {
  readonly ino: number;
  /** Two directories with one inode are told apart by when they were made; 0 where that is not recorded. */
  readonly birthtimeMs: number;
  readonly mtimeMs: number;
  /** Permissions, the mark included. */
  readonly mode: number;
}

/**
 * Directories of ours are made with the sticky bit, which plain proper-lockfile's are not: so an empty one says whose
 * it is. (Where the bit is not kept, as on Windows, it counts as a plain one.)
 */
export const OUR_MARK = 0o1000;

/** What occupies a lock's place. */
export type Occupant =
  | { readonly kind: 'none' }
  /** One of ours. */
  | { readonly kind: 'owner'; readonly entry: string; readonly name: OwnerName }
  /** Given back, and left open for those who wait: nobody's, and free for whoever renames the file. */
  | { readonly kind: 'open'; readonly entry: string }
  /**
   * An empty directory: a plain proper-lockfile lock, or a start or end of ours that is under way or crashed.
   * `staged`: what a zombie's rewrite may have left there; it is nobody's lock.
   */
  | ({ readonly kind: 'empty'; readonly staged: readonly string[] } & Identity)
  /** Anything else: respected, never touched. */
  | { readonly kind: 'foreign'; readonly what: string };

/** A holder renames its owner file now and then, so that one look may find the old name, or both. A few find one. */
const MOST_LOOKS = 5;

/** Files of a rewrite under way begin so (`Staging` in `lock-store.ts`). */
export const STAGED = 'staged.';

/** Looks at what is there. Reads names and kinds, no content. */
export function occupantOf(lock: string): Occupant {
  let seen: Occupant | null = null;
  for (let look = 0; look < MOST_LOOKS && seen === null; look += 1) seen = lookAt(lock);
  return seen ?? { kind: 'foreign', what: 'a directory with more than one owner file' };
}

/** Null: what was seen cannot last. */
function lookAt(lock: string): Occupant | null {
  const stat = lstatSync(lock, { throwIfNoEntry: false });
  if (!stat) return { kind: 'none' };
  if (!stat.isDirectory()) return { kind: 'foreign', what: kindOf(stat) };
  let entries: string[];
  try {
    entries = readdirSync(lock);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw error;
  }
  const owners = entries.filter((entry) => parseName(entry) !== null);
  const [entry] = owners;
  const stray = entries.find((one) => !one.startsWith(STAGED));
  if (stray === undefined) return { kind: 'empty', staged: entries, ...identityIn(stat) };
  if (entry === undefined) return { kind: 'foreign', what: `a directory with ${stray} in it` };
  if (owners.length > 1) return null;
  const owner = lstatSync(join(lock, entry), { throwIfNoEntry: false });
  if (!owner) return null;
  const name = parseName(entry);
  if (owner.isFile() && name) return name.until === 0 ? { kind: 'open', entry } : { kind: 'owner', entry, name };
  return { kind: 'foreign', what: `a directory with ${entry} in it, which is ${kindOf(owner)}` };
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isDirectory()) return 'a directory';
  return stat.isFile() ? 'a file' : 'neither a file nor a directory';
}

/** What the occupant tells about itself, if it is one of ours and has got as far as telling. */
export function recordOf(lock: string, occupant: Occupant): Partial<OwnerRecord> | null {
  if (occupant.kind !== 'owner') return null;
  const record = readRecord(join(lock, occupant.entry));
  // A taker renames first and tells then: until then, and if it dies between, the content is its predecessor's.
  return record?.id === occupant.name.id ? record : null;
}

/** Both at once: who renews between the look and the reading has a new name, and is looked at again. */
export function occupantAndRecord(
  lock: string,
): { readonly occupant: Occupant; readonly record: Partial<OwnerRecord> | null } {
  for (let look = 1; ; look += 1) {
    const occupant = occupantOf(lock);
    const record = recordOf(lock, occupant);
    if (record || occupant.kind !== 'owner' || look === MOST_LOOKS) return { occupant, record };
  }
}

/** The directory at a path; null if there is none. */
export function identityOf(lock: string): Identity | null {
  const stat = lstatSync(lock, { throwIfNoEntry: false });
  return stat?.isDirectory() ? identityIn(stat) : null;
}

const identityIn = ({ ino, birthtimeMs, mtimeMs, mode }: Stats): Identity =>
  ({ ino, birthtimeMs, mtimeMs, mode: mode & 0o7777 });

/** Is that very directory there, whatever has been created or removed in it? */
export function isSame(lock: string, { ino, birthtimeMs }: Identity): boolean {
  const now = identityOf(lock);
  return now !== null && now.ino === ino && now.birthtimeMs === birthtimeMs;
}

/** Is it still that very directory, with nothing created or removed in it since? */
export function isStill(lock: string, seen: Identity): boolean {
  return isSame(lock, seen) && identityOf(lock)?.mtimeMs === seen.mtimeMs;
}
