/**
 * `attempt status`: who holds what, and who waits. Reads only.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { AttemptError } from '../errors.js';
import type { Holder, SessionStatus } from '../locks/lock-store.js';
import { EXIT } from './exits.js';
import { openStore } from './store.js';
import type { StoreOption } from './store-option.js';
import { table } from './table.js';
import { harmlessJson, inWords, labelsInWords, shortId } from '../text.js';

export interface StatusOptions extends StoreOption {
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** The sessions a path names: itself, or, for a directory, every one in it that has a lock or had an attempt. */
function sessionsAt(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    if (stat || existsSync(dirname(path))) return [path];
    throw new AttemptError(
      'SESSION_INVALID', `${path}: expected a session or a directory, found neither it nor its directory`,
    );
  }
  const names = readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const [, name] = /^(.+)\.(?:lock|attempt)$/.exec(entry.name) ?? [];
    return entry.isDirectory() && name !== undefined ? [name] : []; // a lock of ours, or of plain proper-lockfile
  });
  return [...new Set(names)].sort().map((name) => join(path, name));
}

/** A lease that has ended, of a holder that died or stands still: whoever comes next takes it over. */
const isOver = ({ until }: Holder, now: number): boolean => until !== null && until <= now;

/** As seen from here, where that is shorter. */
function pathFromHere(session: string): string {
  const near = relative(process.cwd(), session) || basename(session);
  return near.length < session.length ? near : session;
}

function rowOf({ session, holder, waiting }: SessionStatus, now: number, host: string): readonly string[] {
  const line = waiting.length === 0 ? '' : String(waiting.length);
  const path = pathFromHere(session);
  if (!holder) return [path, 'free', '', '', '', '', line, ''];
  const over = isOver(holder, now);
  const ends = holder.until === null ? 0 : holder.until - now;
  const until = holder.until === null ? '' : over ? `${inWords(-ends)} ago` : `in ${inWords(ends)}`;
  const elsewhere = holder.host === null || holder.host === host ? '' : ` on ${holder.host}`;
  return [
    path, over ? 'expired' : holder.state ?? 'held',
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
  const store = await openStore(options);
  const found: SessionStatus[] = [];
  try {
    const sessions = store.kind === 'files' ? paths.flatMap(sessionsAt) : paths;
    for (const session of sessions) found.push(...await store.locks.query(session));
  } finally {
    await store.close();
  }
  const now = Date.now();
  if (found.some(({ holder }) => holder && !isOver(holder, now))) process.exitCode = EXIT.busy;
  if (quiet) return;
  if (json) {
    const rows = found.map((one) => ({ ...one, held: one.holder !== null && !isOver(one.holder, now) }));
    process.stdout.write(`[${rows.map((row) => `\n  ${harmlessJson(row)}`).join(',')}\n]\n`);
  } else if (found.length === 0) process.stdout.write('no sessions here\n');
  else process.stdout.write(table(HEADER, found.map((one) => rowOf(one, now, hostname()))));
}
