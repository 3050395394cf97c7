/**
 * The lock on disk: a directory that, once held, contains exactly one owner file (see `owner-entry.ts`).
 *
 * Every step is one atomic call on the name it means:
 *   take       mkdir, then create our owner file in the very directory we made (see `take`; README, "The protocol")
 *   take over  rename the dead owner file to our name: of two takers, or a taker and a reviving owner, one finds it;
 *              a dead empty directory is replaced by a populated one (rename(2) replaces empty directories alone)
 *   renew      rename our owner file to a name with a later end; it also keeps the directory's mtime fresh
 *   give back  unlink our owner file, then rmdir; or, where others wait, rename it to a name that is nobody's (`leaveOpen`)
 * Nothing here waits or knows about processes; errors that are no answer are thrown as they come.
 */
import { lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { attempted } from './errno.js';
import { clearEntry, discardEmpty, discardStaged, GONE, removeEmpty } from './lock-removal.js';
import { MOST_STALL_MS, stallMeter } from './stall.js';
import { identityOf, isSame, isStill, STAGED, type Identity, type Occupant } from './occupant.js';
import { nameOf, parseName, rewriteRecord, writeRecord, type OwnerName, type OwnerRecord } from './owner-entry.js';
import { makeMarked, makeRoom, settleMode } from './permissions.js';
import type { Places } from './session-path.js';

/** What a rename onto the lock's place says when somebody else has it. On Windows a sharing violation says so. */
const TAKEN = [...GONE, 'ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])];

/** Who owns what lies in there, by name. */
const ownersIn = (lock: string): string[] => readdirSync(lock).filter((entry) => parseName(entry) !== null);

const taken = (lock: string): Error => Object.assign(new Error(`${lock} is taken`), { code: 'EEXIST' });

/** Our own hold on one lock directory, from taking it to giving it back. */
export class OwnLock {
  /** The name of our owner file; null before it is in place and after it is gone. */
  #entry: string | null = null;
  #name: OwnerName;
  /** Our owner file is gone, the directory may be left: `fresh`, or as it was when we could not remove it. `open`: it stays. */
  #left: Identity | 'fresh' | 'open' | null = null;
  #isOpen = false;

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

  /**
   * Takes a free place. Throws EEXIST if it is taken, by whomever; on any other failure nothing is left.
   * @param stalledMs how long ago the try began, milliseconds, by the clock that shows more: a machine may sleep
   */
  take(record: OwnerRecord, until: number, stalledMs: () => number): void {
    const { lock, mode } = this.places;
    makeMarked(lock, mode);
    let made: Identity | null = null;
    let done = false;
    try {
      const seen = identityOf(lock);
      // What we see a while later may be what others made in place of ours; then it is not ours to touch.
      if (seen && stalledMs() < MOST_STALL_MS) made = seen;
      done = made !== null && this.#enter(record, until, made);
    } finally {
      if (!done && made) discardEmpty(lock, made);
    }
    if (!done) throw taken(lock);
  }

  /**
   * Creates our owner file in the directory we made. False if it is not ours any more: then nothing of us is in it.
   * Looked at afterwards, for we may have been stopped right before: others may have replaced the directory, and a
   * plain user's new one is as empty as ours was.
   */
  #enter(record: OwnerRecord, until: number, made: Identity): boolean {
    const { lock, mode } = this.places;
    const name = { ...this.#name, until };
    const path = join(lock, nameOf(name));
    let entered = false;
    let created = false;
    try {
      created = attempted(() => writeRecord(path, record, mode), ...GONE);
      entered = created && isSame(lock, made) && ownersIn(lock).length === 1;
    } finally {
      if (!entered) attempted(() => unlinkSync(path), ...GONE);
    }
    if (!entered) return false;
    this.#is(name);
    settleMode(lock, made.mode, mode);
    return true;
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
      for (const entry of dead.staged) clearEntry(this.places, entry);
      const emptied = identityOf(lock);
      return emptied?.ino === dead.ino && emptied.birthtimeMs === dead.birthtimeMs && this.#place(staged, name, emptied);
    });
  }

  /** Prepares a populated directory in the room for `fn` to put in place. Whatever happens, none stays in the room. */
  #staged(record: OwnerRecord, until: number, fn: (staged: string, name: OwnerName) => boolean): boolean {
    const staged = join(this.places.room, `new.${this.id}`);
    const name = { ...this.#name, until };
    const { mode } = this.places;
    let placed = false;
    try {
      makeRoom(this.places);
      makeMarked(staged, mode);
      writeRecord(join(staged, nameOf(name)), record, mode);
      settleMode(staged, identityOf(staged)?.mode ?? 0, mode);
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
    const { lock } = this.places;
    const name = { ...this.#name, until };
    makeRoom(this.places); // first: a room that cannot be had must not cost the dead lock its end
    if (!attempted(() => renameSync(join(lock, dead), join(lock, nameOf(name))), ...GONE)) return false;
    this.#is(name);
    const told = attempted(() => {
      rewriteRecord(this.path, record);
      this.clearStaged();
    }, ...GONE);
    if (!told) this.#entry = null; // we were stopped for longer than our lease: somebody took it over from us
    return told;
  }

  /** Renews, and with `token` states it. False: our owner file is gone, the lock is lost. */
  renew(until: number, token = this.#name.token): boolean {
    const name = { ...this.#name, until, token };
    if (!attempted(() => renameSync(this.path, join(this.places.lock, nameOf(name))), ...GONE)) return false;
    this.#is(name);
    return true;
  }

  /**
   * Passes it on to another acquisition of this process, under its token. Null: our owner file is gone, the lock is lost.
   * After it there is nothing of ours to give back; what we staged is still there.
   */
  passTo(id: string, token: number, until: number): OwnLock | null {
    const next = new OwnLock(this.places, id);
    const name = { token, until, id };
    if (!attempted(() => renameSync(this.path, join(this.places.lock, nameOf(name))), ...GONE)) return null;
    this.#entry = null;
    next.#is(name);
    return next;
  }

  /** What a holder before us staged goes before anybody is granted: its rename then finds nothing. */
  clearStaged(): void {
    for (const entry of readdirSync(this.places.lock)) {
      if (entry.startsWith(STAGED)) clearEntry(this.places, entry);
    }
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

  /**
   * Gives the lock back to those who wait: whose turn it is takes it by one rename, instead of making it all anew beside
   * our taking it away. `remove` has still to be called: it answers, and takes away what nobody waits for.
   * @param isAwaited asked afterwards, as who leaves the line looks afterwards whether it is open: one of the two sees it
   * @returns the name it is left open by; null if it is not
   */
  leaveOpen(isAwaited: () => boolean): string | null {
    if (this.#entry === null) return null;
    const open = nameOf({ token: 0, until: 0, id: this.id });
    if (!attempted(() => renameSync(this.path, join(this.places.lock, open)), ...GONE)) return null;
    this.#entry = open;
    this.#isOpen = true;
    if (!isAwaited()) return null;
    this.#entry = null;
    this.#left = 'open';
    return open;
  }

  /** Gives the lock back. False: it was not ours any more. May be called again after a throw. */
  remove(): boolean {
    const stalledMs = stallMeter();
    if (this.#entry !== null) {
      const there = attempted(() => unlinkSync(this.path), ...GONE);
      this.#entry = null;
      if (!there) return this.#isOpen; // given back already, and taken from there
      this.#left = 'fresh';
    }
    if (this.#left === null) return false;
    // Asked again: the empty directory of back then may have aged and be somebody else's by now.
    if (this.#left !== 'open' && (this.#left === 'fresh' || isStill(this.places.lock, this.#left))) this.#removeLeft(stalledMs);
    this.#left = null;
    return true;
  }

  #removeLeft(stalledMs: () => number): void {
    try {
      removeEmpty(this.places, stalledMs);
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
