/**
 * The fencing token of one session, as a name in its room: `token.<n>`. A claim renames it to the next number: of all
 * who know a number one can claim from it, so that each is given once, even while a lease is broken and however old
 * a claimer's knowledge is. (link(2) is not enough: it looks the old name up first, and may find it just removed.)
 *
 * A claim alone grants nothing: the store's last step, renaming its own owner file, still has to succeed. So a number
 * claimed by somebody who has lost the lock meanwhile is merely never used.
 *
 * No fsync: after a power loss every old writer is dead, and a claim in a new boot asks the session itself (the
 * `floor`), so that what survived in the file is not undercut.
 */
import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bootMark } from '../../owner.js';
import { attempted, codeOf } from './errno.js';
import { expectDirectory, makeRoom } from './permissions.js';
import type { Places } from './session-path.js';
import { ticketsAmong } from './tickets.js';

/** Made once, never renamed or removed: who made it may make the first number, and nobody else ever. */
const FIRST = 'token.first';

/** What is prepared in a room: by acquisitions and asks, which have a UUID. Other things beside it are not ours to remove. */
export const PREPARED = /^new\.[0-9a-f-]{36}$/;

/**
 * So often a room with that mark is looked through in vain for a number: one look may miss a name that is renamed during
 * it. Then whoever was first died before its number was there.
 */
const MOST_LOOKS = 50;

/** Rounds of "somebody else has that number": each means another claim went through. */
const MOST_ROUNDS = 1_000;

/** What a room says about tokens. */
export interface TokenLedger {
  readonly highest: number;
  /** All numbers found, ascending. */
  readonly numbers: readonly number[];
  /** Were they written in this boot? If not, a power loss may have taken the highest. */
  readonly current: boolean;
  readonly oldMarks: readonly string[];
  /** Lock directories that are being prepared, or were when their process died. */
  readonly prepared: readonly string[];
  /** Tickets of processes that wait, the first in line first. */
  readonly tickets: readonly string[];
  /** Asks to end, of whichever grant. */
  readonly asks: readonly string[];
}

/** A room that is not there yet, or is no room: whoever takes the lock finds out which. */
const NO_LEDGER: TokenLedger = { highest: 0, numbers: [], current: false, oldMarks: [], prepared: [], tickets: [], asks: [] };

/** What is known before the lock is taken. Makes nothing. */
export function glanceAt(room: string): TokenLedger {
  try {
    return readLedger(room);
  } catch {
    return NO_LEDGER;
  }
}

/** The ledger of a session that may never have been locked: its room is made. */
export function openLedger(places: Places): TokenLedger {
  try {
    return readLedger(places.room);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
    makeRoom(places);
    return readLedger(places.room);
  }
}

export function readLedger(room: string): TokenLedger {
  const numbers: number[] = [];
  const oldMarks: string[] = [];
  const prepared: string[] = [];
  const asks: string[] = [];
  const mark = `boot.${bootMark()}`;
  let current = false;
  expectDirectory(room);
  const names = readdirSync(room);
  for (const name of names) {
    const number = Number(/^token\.([1-9]\d{0,15})$/.exec(name)?.[1] ?? 0);
    if (number > 0 && Number.isSafeInteger(number)) numbers.push(number);
    else if (name === mark) current = true;
    else if (name.startsWith('boot.')) oldMarks.push(name);
    else if (PREPARED.test(name)) prepared.push(name);
    else if (name.startsWith('ask.')) asks.push(name);
  }
  numbers.sort((a, b) => a - b);
  return {
    highest: numbers.at(-1) ?? 0, numbers, current: current && numbers.length > 0, oldMarks, prepared,
    tickets: ticketsAmong(names), asks,
  };
}

/** Claims the next token above the ledger and the floor. Must be called under the lock. */
export function claimToken(room: string, ledger: TokenLedger, floor: number): number {
  let seen = ledger;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    // Nobody can tell which numbers the one who died may have given: time is above all that were counted.
    const none = seen.highest === 0 && round >= MOST_LOOKS;
    const token = Math.max(seen.highest, floor, none ? Date.now() : 0) + 1;
    if (!Number.isSafeInteger(token)) {
      throw new Error(`${room}: tokens have reached ${token}; there is no higher safe integer`);
    }
    if (seen.highest > 0 ? move(room, seen.highest, token) : (none || isFirst(room)) && create(room, token)) {
      if (!ledger.current) markBoot(room, ledger);
      for (const old of seen.numbers.slice(0, -1)) forget(join(room, `token.${old}`));
      return token;
    }
    seen = readLedger(room); // somebody claimed in between
  }
  throw new Error(`${room}: ${MOST_ROUNDS} tokens in a row were claimed by others; is something else writing there?`);
}

/** False: the number we know has been claimed from, however long ago. */
function move(room: string, from: number, to: number): boolean {
  return attempted(() => renameSync(join(room, `token.${from}`), join(room, `token.${to}`)), 'ENOENT');
}

/** Has nobody ever claimed here? Asked by a name of its own, since numbers are renamed, and a look may miss them. */
const isFirst = (room: string): boolean => create(room, FIRST.slice('token.'.length));

const create = (room: string, token: number | string): boolean =>
  attempted(() => closeSync(openSync(join(room, `token.${token}`), 'wx')), 'EEXIST');

function markBoot(room: string, { oldMarks }: TokenLedger): void {
  closeSync(openSync(join(room, `boot.${bootMark()}`), 'w'));
  for (const mark of oldMarks) forget(join(room, mark));
}

/** A name too many is harmless, and with others' names in a shared directory it may not be ours to remove. */
function forget(path: string): void {
  try {
    unlinkSync(path);
  } catch { /* pruned by another claimer, or by a later one */ }
}

/**
 * Removes prepared lock directories that nobody put in place for that long: their processes died. One that was only
 * stopped finds nothing to put in place, and looks again.
 */
export function clearAbandoned(room: string, { prepared }: TokenLedger, olderThan: number): void {
  for (const name of prepared) {
    try {
      if (statSync(join(room, name)).mtimeMs < olderThan) rmSync(join(room, name), { recursive: true, force: true });
    } catch { /* put in place meanwhile, or not ours to remove: it harms nobody */ }
  }
}
