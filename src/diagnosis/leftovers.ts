/**
 * What lies beside a session and serves nobody any more. Looks at names and kinds; reads waiters' marks, bounded.
 * Owns: what is proved to be dead. Must not know: what is done about it.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAsk } from '../locks/file/asks.js';
import { replaceableAt } from '../locks/file/one-try.js';
import { occupantOf, type Occupant } from '../locks/file/occupant.js';
import type { Places } from '../locks/file/session-path.js';
import { isTorn } from '../locks/file/tickets.js';
import { PREPARED } from '../locks/file/tokens.js';
import { isProvablyDead, type ProcessMark } from '../owner.js';

export interface Leftover {
  readonly path: string;
  readonly what: string;
  /** What may be removed: a `file`, a `directory`, or a `lock`, which is a file and then, if that was all, what it lay in. */
  readonly kind: 'file' | 'directory' | 'lock';
  /** Is it proved that nobody needs it? Otherwise it is for a person to decide. */
  readonly proved: boolean;
}

/** A lock directory is prepared in microseconds; one this old was left by a process that died. As in `tokens.ts`. */
const PREPARED_MS = 10_000;
/** Entries of a room that are looked at; who finds more is told so by the count. */
const MOST_ENTRIES = 10_000;
const MOST_MARK_BYTES = 4_096;
const AS_IT_IS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The mark in a waiter's file; null where it is none, or the file is not as we write it. */
function markIn(path: string): Partial<ProcessMark> | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | AS_IT_IS);
    try {
      const bytes = Buffer.alloc(MOST_MARK_BYTES);
      const mark: unknown = JSON.parse(bytes.toString('utf8', 0, readSync(fd, bytes, 0, MOST_MARK_BYTES, 0)));
      return typeof mark === 'object' ? mark as Partial<ProcessMark> | null : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null; // being written, gone, or not ours: nothing is proved by it
  }
}

function leftoverAt(path: string, name: string, now: number, held: number | null): Leftover | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return null;
  if (PREPARED.test(name) && stat.isDirectory() && now - stat.mtimeMs > PREPARED_MS) {
    return { path, kind: 'directory', proved: true, what: 'a lock directory that its process never put in place' };
  }
  if (name.startsWith('litter.')) {
    const kind = stat.isDirectory() ? 'directory' : 'file';
    return { path, kind, proved: false, what: 'something that lay in a lock and is not ours' };
  }
  const ask = parseAsk(name);
  if (ask !== null && stat.isFile() && ask.token !== held) {
    return { path, kind: 'file', proved: true, what: 'an ask to end, of an attempt that has ended' };
  }
  if (!name.startsWith('wait.') || !stat.isFile()) return null;
  if (isTorn(dirname(path), name, now)) {
    return { path, kind: 'file', proved: true, what: 'a place in line that says nothing of whose it is' };
  }
  const mark = markIn(path);
  if (mark === null || !isProvablyDead(mark)) return null;
  return { path, kind: 'file', proved: true, what: `the place in line of a process that is gone (pid ${mark.pid})` };
}

/** A lock that was left open for somebody who did not come. Anybody may take it; only plain proper-lockfile users cannot. */
function leftOpen({ lock }: Places, occupant: Occupant, isAwaited: boolean): Leftover[] {
  if (occupant.kind !== 'open' || isAwaited) return [];
  const what = 'a lock that was left open for somebody who did not come';
  return [{ path: join(lock, occupant.entry), kind: 'lock', proved: true, what }];
}

/** An empty lock directory, so old that its maker is taken for dead: by age alone, which is no proof. */
function staleLock({ lock }: Places, occupant: Occupant, now: number): Leftover[] {
  if (occupant.kind !== 'empty' || replaceableAt(occupant, PREPARED_MS) > now) return [];
  const what = 'an empty lock directory that nobody has touched for long; the next attempt takes it over';
  return [{ path: lock, kind: 'directory', proved: false, what }];
}

/** What is left in a session's room, and in the lock's place. */
export function leftoversIn(places: Places, now: number): readonly Leftover[] {
  let names: string[] = [];
  try {
    names = readdirSync(places.room).slice(0, MOST_ENTRIES);
  } catch { /* no room, or not a directory: that is told as damage */ }
  const occupant = occupantOf(places.lock);
  const held = occupant.kind === 'owner' ? occupant.name.token : null;
  const inRoom = names.flatMap((name) => leftoverAt(join(places.room, name), name, now, held) ?? []);
  const isAwaited = names.some((name) => name.startsWith('wait.') && !inRoom.some(({ path }) => path === join(places.room, name)));
  return [...staleLock(places, occupant, now), ...leftOpen(places, occupant, isAwaited), ...inRoom];
}
