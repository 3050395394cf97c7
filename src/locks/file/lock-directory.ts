/**
 * The lock on disk: a directory that, once held, contains exactly one owner file (see `owner-entry.ts`).
 *
 * Every step is one atomic call on the name it means:
 *   take       mkdir, then rename a populated directory onto the very one we made (plain proper-lockfile's lock is an
 *              empty directory, and rename replaces empty directories: hence mkdir first, and the check of identity)
 *   take over  rename the dead owner file to our name: of two takers, or a taker and a reviving owner, one finds it
 *   renew      rename our owner file to a name with a later end; it also keeps the directory's mtime fresh
 *   give back  unlink our owner file, then rmdir
 * Nothing here waits or knows about processes; errors that are no answer are thrown as they come.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempted, codeOf } from './errno.js';
import { identityOf, isStill, STAGED, type Identity, type Occupant } from './occupant.js';
import { nameOf, parseName, rewriteRecord, type OwnerName, type OwnerRecord } from './owner-entry.js';
import type { Places } from './session-path.js';

/** "It is not there", said of a name inside the lock: the lock may have been replaced by something else. */
const GONE = ['ENOENT', 'ENOTDIR'];

/** What a rename onto the lock's place says when somebody else has it. On Windows a sharing violation says so. */
const TAKEN = [...GONE, 'ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])];

/** Removes a lock of ours by its owner's name. False if that owner is no longer there. */
export function removeOwner(places: Places, entry: string): boolean {
  if (!attempted(() => unlinkSync(join(places.lock, entry)), ...GONE)) return false;
  removeEmpty(places);
  return true;
}

/** Nobody takes an empty directory for dead that is younger: plain proper-lockfile's least `stale` is 2 000. */
const MOST_STALL_MS = 1_500;

/** A stray's name is kept as far as it fits: a name may have 255 bytes, and a character of it up to three. */
const MOST_LITTER_NAME = 40;

/**
 * Removes the directory after its owner file is gone. What somebody else put into it is moved to the room, not
 * deleted: it would otherwise keep the session locked for ever.
 */
function removeEmpty({ lock, room }: Places): void {
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

/** The room is a directory, or it becomes one. */
function makeRoom(room: string): void {
  try {
    mkdirSync(room, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // EEXIST would read as "somebody holds the lock"; it is no answer but a fault, and says what to remove.
    throw Object.assign(new Error(`${room}: expected a directory, got something else; remove it`), { code: 'ENOTDIR' });
  }
}

const taken = (lock: string): Error => Object.assign(new Error(`${lock} is taken`), { code: 'EEXIST' });

/** Our own hold on one lock directory, from taking it to giving it back. */
export class OwnLock {
  /** The name of our owner file; null before it is in place and after it is gone. */
  #entry: string | null = null;
  #name: OwnerName;
  /** Our owner file is gone, the directory may be left: `fresh`, or as it was when we could not remove it. */
  #left: Identity | 'fresh' | null = null;

  constructor(readonly places: Places, readonly id: string) {
    this.#name = { token: 0, until: 0, id };
  }

  get name(): OwnerName {
    return this.#name;
  }

  /** Where our owner file is, or was last. */
  get path(): string {
    return join(this.places.lock, this.#entry ?? nameOf(this.#name));
  }

  /** Takes a free place. Throws EEXIST if it is taken, by whomever; on any other failure nothing is left. */
  take(record: OwnerRecord, until: number): void {
    const { lock } = this.places;
    if (lstatSync(lock, { throwIfNoEntry: false })) throw taken(lock); // most tries end here, with nothing staged
    const placed = this.#staged(record, until, (staged, name) => {
      const preparedAt = identityOf(staged)?.mtimeMs ?? -Infinity;
      mkdirSync(lock);
      let made: Identity | null = null;
      let done = false;
      try {
        const seen = identityOf(lock);
        // What we see a while later may be what others made in place of ours; then it is not ours to touch.
        if (seen && seen.mtimeMs - preparedAt < MOST_STALL_MS) made = seen;
        done = made !== null && this.#place(staged, name, made);
      } finally {
        if (!done && made) discardEmpty(lock, made);
      }
      return done;
    });
    if (!placed) throw taken(lock);
  }

  /**
   * Populates an empty directory so old that its maker is taken for dead.
   * False if that very directory is not there, or not empty, any more.
   */
  populate(record: OwnerRecord, until: number, dead: Occupant & { kind: 'empty' }): boolean {
    const { lock } = this.places;
    return this.#staged(record, until, (staged, name) => {
      if (dead.staged.length === 0) return this.#place(staged, name, dead);
      if (!isStill(lock, dead)) return false;
      for (const entry of dead.staged) attempted(() => unlinkSync(join(lock, entry)), ...GONE);
      const emptied = identityOf(lock);
      return emptied?.ino === dead.ino && this.#place(staged, name, emptied);
    });
  }

  /** Prepares a populated directory in the room for `fn` to put in place. Whatever happens, none stays in the room. */
  #staged(record: OwnerRecord, until: number, fn: (staged: string, name: OwnerName) => boolean): boolean {
    const staged = join(this.places.room, `new.${this.id}`);
    const name = { ...this.#name, until };
    let placed = false;
    try {
      if (!attempted(() => mkdirSync(staged), 'ENOENT')) {
        makeRoom(this.places.room);
        mkdirSync(staged);
      }
      writeFileSync(join(staged, nameOf(name)), JSON.stringify(record), { flag: 'wx' });
      placed = fn(staged, name);
    } finally {
      if (!placed) discardStaged(staged);
    }
    if (placed) this.#is(name);
    return placed;
  }

  /** Renames the populated directory onto the empty one that is meant. False: another one is there. */
  #place(staged: string, name: OwnerName, expected: Identity): boolean {
    const { lock } = this.places;
    if (!isStill(lock, expected)) return false;
    if (process.platform !== 'win32') return attempted(() => renameSync(staged, lock), ...TAKEN);
    // Windows does not rename onto a directory, not even an empty one. The file is moved in instead; that our mkdir
    // made the directory, and that nobody else's file is in it, stands for the atomic rename.
    const entry = nameOf(name);
    if (!attempted(() => renameSync(join(staged, entry), join(lock, entry)), ...TAKEN)) return false;
    rmdirSync(staged);
    if (readdirSync(lock).length === 1) return true;
    unlinkSync(join(lock, entry));
    return false;
  }

  /** Takes the place of a dead owner. False if somebody else did, or the owner has revived. */
  takeOver(dead: string, record: OwnerRecord, until: number): boolean {
    const { lock, room } = this.places;
    const name = { ...this.#name, until };
    makeRoom(room);
    if (!attempted(() => renameSync(join(lock, dead), join(lock, nameOf(name))), ...GONE)) return false;
    this.#is(name);
    rewriteRecord(this.path, record);
    // What the dead owner staged goes before anybody is granted: its rename then finds nothing.
    for (const entry of readdirSync(lock)) {
      if (entry.startsWith(STAGED)) attempted(() => unlinkSync(join(lock, entry)), ...GONE);
    }
    return true;
  }

  /** Renews, and with `token` states it. False: our owner file is gone, the lock is lost. */
  renew(until: number, token = this.#name.token): boolean {
    const name = { ...this.#name, until, token };
    if (!attempted(() => renameSync(this.path, join(this.places.lock, nameOf(name))), ...GONE)) return false;
    this.#is(name);
    return true;
  }

  /** Tells who waits what we are doing now. False: our owner file is gone. */
  retell(record: OwnerRecord): boolean {
    return attempted(() => rewriteRecord(this.path, record), ...GONE);
  }

  /** Was our owner file put in place and not removed by us? Asks no disk. */
  get isTaken(): boolean {
    return this.#entry !== null || this.#left !== null;
  }

  isThere(): boolean {
    return this.#entry !== null && lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  /** Gives the lock back. False: it was not ours any more. May be called again after a throw. */
  remove(): boolean {
    if (this.#entry !== null) {
      const there = attempted(() => unlinkSync(this.path), ...GONE);
      this.#entry = null;
      if (!there) return false;
      this.#left = 'fresh';
    }
    if (this.#left === null) return false;
    // Asked again: the empty directory of back then may have aged and be somebody else's by now.
    if (this.#left === 'fresh' || isStill(this.places.lock, this.#left)) this.#removeLeft();
    this.#left = null;
    return true;
  }

  #removeLeft(): void {
    try {
      removeEmpty(this.places);
    } catch (error) {
      this.#left = identityOf(this.places.lock);
      throw error;
    }
  }

  #is(name: OwnerName): void {
    this.#name = name;
    this.#entry = nameOf(name);
  }
}

/** Takes back a directory we have just made and could not populate. */
function discardEmpty(lock: string, made: Identity): void {
  try {
    if (isStill(lock, made)) rmdirSync(lock);
  } catch {
    // The error that brought us here is the one to tell; an empty directory is taken over by age.
  }
}

function discardStaged(staged: string): void {
  try {
    rmSync(staged, { recursive: true, force: true });
  } catch {
    // As above; a later grant removes it (`clearAbandoned` in `tokens.ts`).
  }
}
