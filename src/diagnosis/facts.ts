/**
 * What the disk and the system tell about a session, gathered without changing anything. Owns: what is looked at, and
 * that every look is bounded and follows no link. Must not know: what follows from it.
 */
import { lstatSync } from 'node:fs';
import type { KeptReport } from '../kept-report.js';
import { holderOf } from '../locks/file/holder.js';
import { wordOf } from '../locks/file/kept-in.js';
import { lastReports } from '../locks/file/last-reports.js';
import { occupantAndRecord, type Occupant } from '../locks/file/occupant.js';
import type { OwnerRecord } from '../locks/file/owner-entry.js';
import { placesOf, type Places } from '../locks/file/session-path.js';
import { waitersIn } from '../locks/file/tickets.js';
import type { Holder, Waiter } from '../locks/lock-store.js';
import { leftoversIn, type Leftover } from './leftovers.js';
import { livenessOf, type Liveness } from './liveness.js';
import { shellWord } from './shell-word.js';

export interface SessionFacts {
  readonly places: Places;
  /** As a command is told where the lock is kept: ` --store files:/var/locks`; empty where that goes without saying. */
  readonly store: string;
  /** When it was looked. Wall clock, milliseconds since 1970. */
  readonly now: number;
  readonly occupant: Occupant;
  /** Null: free, or not one of ours. */
  readonly holder: Holder | null;
  /** What the owner file says; null where there is none, or it cannot be read. */
  readonly record: Partial<OwnerRecord> | null;
  /** Of the holder's process; null without a holder of ours. */
  readonly liveness: Liveness | null;
  /** So long after a renewal the next one is late, milliseconds. Default: as of a lock in files. */
  readonly lateMs?: number;
  /** The longest first; dead ones are leftovers. */
  readonly waiting: readonly Waiter[];
  readonly leftovers: readonly Leftover[];
  /** The newest first. */
  readonly reports: readonly KeptReport[];
  /** Of our own files, what is not as we write it: one sentence each. */
  readonly damage: readonly string[];
}

/** A taker renames the owner file first and tells then who it is: so long it may take, before it is called damaged. */
const TELLING_MS = 100;

/** The owner file's content, where it can be read; looked at again if it was just being written. */
async function readOwner(lock: string): Promise<{ occupant: Occupant; record: Partial<OwnerRecord> | null }> {
  for (let isLast = false; ; isLast = true) {
    const { occupant, record } = occupantAndRecord(lock);
    if (record || occupant.kind !== 'owner' || isLast) return { occupant, record };
    await new Promise((resolve) => { setTimeout(resolve, TELLING_MS); });
  }
}

function damageOf(places: Places, occupant: Occupant, record: Partial<OwnerRecord> | null): string[] {
  const damage: string[] = [];
  if (occupant.kind === 'owner' && record === null) damage.push('the owner file in the lock cannot be read');
  if (occupant.kind === 'foreign' && /owner\.|owner file/.test(occupant.what)) damage.push(`the lock is ${occupant.what}`);
  const room = lstatSync(places.room, { throwIfNoEntry: false });
  if (room && !room.isDirectory()) damage.push(`${places.room} is not a directory: nobody can take the lock`);
  const { damaged, problem } = lastReports(places.room);
  if (damaged > 0) damage.push(`${damaged} of the kept reports cannot be read`);
  if (problem !== null) damage.push(`the kept reports cannot be read: ${problem}`);
  return damage;
}

/** Beside their sessions goes without saying, unless the environment, in which it is to be typed, says otherwise. */
function storeOption(directory: string | undefined): string {
  if (directory === undefined && (process.env['ATTEMPT_STORE'] || 'files') === 'files') return '';
  const word = shellWord(wordOf(directory));
  return word === null ? '' : ` --store ${word}`;
}

/**
 * Looks at one session.
 * @param directory where its lock lies, if not beside it: as given to `localFileLocks`
 * @throws AttemptError `SESSION_INVALID`; the native error where the places cannot be read
 */
export async function factsOf(session: string, directory: string | undefined): Promise<SessionFacts> {
  const places = placesOf(session, directory, 'read');
  const { occupant, record } = await readOwner(places.lock);
  const holder = occupant.kind === 'owner' ? holderOf(places, undefined) : null;
  const now = Date.now();
  return {
    places, store: storeOption(directory), now, occupant, record, holder,
    liveness: occupant.kind === 'owner' ? livenessOf(record ?? {}, occupant.name.until, now) : null,
    waiting: waitersIn(places.room), leftovers: leftoversIn(places, now),
    reports: lastReports(places.room).reports, damage: damageOf(places, occupant, record),
  };
}
