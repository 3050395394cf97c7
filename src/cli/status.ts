/**
 * `attempt status`: who holds what, and who waits. Reads only.
 */
import { hostname } from 'node:os';
import { basename, relative } from 'node:path';
import { sessionsAt } from '../diagnosis/sessions-at.js';
import { occupantAndRecord } from '../locks/file/occupant.js';
import { placesOf } from '../locks/file/session-path.js';
import type { Holder, SessionStatus } from '../locks/lock-store.js';
import { isProvablyDead } from '../owner.js';
import { EXIT } from './exits.js';
import { withStore, type OpenedStore } from './store.js';
import type { StoreOption } from './store-option.js';
import { table } from './table.js';
import { harmlessJson, inWords, labelsInWords, shortId, stateInWords } from '../text.js';

export interface StatusOptions extends StoreOption {
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
}

interface Found extends SessionStatus {
  /** By a holder that has provably ended: the next attempt is granted the lock at once, before its lease has ended. */
  readonly left: boolean;
}

/** Has its lease ended? Its holder died where that cannot be proved, or stands still: whoever comes next takes it over. */
const isOver = ({ until }: Holder, now: number): boolean => until !== null && until <= now;

const isHeld = ({ holder, left }: Found, now: number): boolean => holder !== null && !left && !isOver(holder, now);

/** By the proof that a takeover asks for. */
function isLeft({ session, holder }: SessionStatus, directory: string | undefined): boolean {
  if (holder === null) return false;
  const { occupant, record } = occupantAndRecord(placesOf(session, directory, 'read').lock);
  const isSame = occupant.kind === 'owner' && occupant.name.token === holder.token;
  return isSame && record !== null && isProvablyDead(record);
}

/** As seen from here, where that is shorter. */
export function pathFromHere(session: string): string {
  const near = relative(process.cwd(), session) || basename(session);
  return near.length < session.length ? near : session;
}

function rowOf({ session, holder, waiting, left }: Found, now: number, host: string): readonly string[] {
  const line = waiting.length === 0 ? '' : String(waiting.length);
  const path = pathFromHere(session);
  if (!holder) return [path, 'free', '', '', '', '', line, ''];
  const over = isOver(holder, now);
  const ends = holder.until === null ? 0 : holder.until - now;
  const until = holder.until === null ? '' : over ? `${inWords(-ends)} ago` : `in ${inWords(ends)}`;
  const elsewhere = holder.host === null || holder.host === host ? '' : ` on ${holder.host}`;
  return [
    path, left ? 'dead' : over ? 'expired' : stateInWords(holder.state ?? 'held'),
    holder.since === null ? '' : inWords(now - holder.since), until,
    holder.pid === null ? '' : `${holder.pid}${elsewhere}`,
    holder.attemptId === null ? '' : shortId(holder.attemptId), line,
    [holder.remark ?? '', labelsInWords(holder)].filter(Boolean).join(' '),
  ];
}

const HEADER = ['SESSION', 'STATE', 'HELD FOR', 'LEASE ENDS', 'PID', 'ATTEMPT', 'WAITING', 'ABOUT'];

/**
 * Prints who holds each session. Sets the exit status: 0 all free (or left by a dead holder), 75 one is held.
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere
 */
export async function status(paths: readonly string[], { quiet, json, ...options }: StatusOptions): Promise<void> {
  const found = await withStore(options, (store) => statusOf(paths, store));
  const now = Date.now();
  if (found.some((one) => isHeld(one, now))) process.exitCode = EXIT.busy;
  if (quiet) return;
  if (json) {
    const rows = found.map(({ left, ...one }) => ({ ...one, held: isHeld({ ...one, left }, now) }));
    process.stdout.write(`[${rows.map((row) => `\n  ${harmlessJson(row)}`).join(',')}\n]\n`);
  } else process.stdout.write(statusTable(found, now));
}

/** In an engine a lock is granted anew when its lease has ended, whoever is dead: none is left before that. */
async function statusOf(paths: readonly string[], { kind, locks, directory }: OpenedStore): Promise<readonly Found[]> {
  const found: Found[] = [];
  const isOfFiles = kind === 'files';
  for (const session of isOfFiles ? paths.flatMap((path) => sessionsAt(path, directory)) : paths) {
    for (const one of await locks.query(session)) found.push({ ...one, left: isOfFiles && isLeft(one, directory) });
  }
  return found;
}

const statusTable = (found: readonly Found[], now: number): string =>
  (found.length === 0 ? 'no sessions here\n' : table(HEADER, found.map((one) => rowOf(one, now, hostname()))));

/** The table of all sessions that these paths name, as of now. */
export const tableOf = async (paths: readonly string[], store: OpenedStore): Promise<string> =>
  statusTable(await statusOf(paths, store), Date.now());
