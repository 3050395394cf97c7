/**
 * `attempt stop`: asks the attempt that holds a session to end, and waits until it has.
 * Owns: what is said about it. Must not know: how it is asked.
 */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { expectSomewhere } from '../diagnosis/sessions-at.js';
import { lastReports } from '../locks/file/last-reports.js';
import { placesOf, type Places } from '../locks/file/session-path.js';
import type { KeptReport } from '../kept-report.js';
import type { Holder } from '../locks/lock-store.js';
import { stopAttempt, type StopAnswer } from '../stop-attempt.js';
import { harmless, harmlessJson, holderInWords, inWords, leaseEndInWords, shortId } from '../text.js';
import { EXIT } from './exits.js';
import { pathFromHere } from './status.js';
import { withStore, type OpenedStore } from './store.js';
import type { StoreOption } from './store-option.js';

export interface StopCommandOptions extends StoreOption {
  /** Milliseconds. */
  readonly wait: number;
  /** An id, or how it begins. */
  readonly attempt?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** A report is kept right after the lock was given back: so long it is looked for. */
const KEPT_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** Nobody is left to write a report. */
function isGone({ pid, host }: Holder): boolean {
  try {
    return pid !== null && host === hostname() && !process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** How it ended, by its own report. Null: it left none (it was killed), or gave the lock up for a window of its work. */
async function reportOf({ room }: Places, holder: Holder): Promise<KeptReport | null> {
  for (const begun = performance.now(); ;) {
    const isLast = performance.now() - begun > KEPT_WITHIN_MS || isGone(holder); // asked first: it writes, then it ends
    const found = lastReports(room).reports.find(({ token }) => token === holder.token);
    if (found || isLast) return found ?? null;
    await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
  }
}

function endInWords(report: KeptReport | null): string {
  if (report === null) return 'how it ended was not recorded (killed, or only waiting without the lock: yieldLock)';
  const by = report.abortedBy === null ? '' : ` by ${report.abortedBy}`;
  return harmless(`${report.outcome}${by}, lock ${report.lease}`);
}

/** An engine keeps no reports: there the attempt itself has it, and whoever runs it. */
const NOT_KEPT = 'how it ended is in its own report (attempt run --report)';

/** Said of a session that may be mistyped: to stop it is still no failure. */
const NEVER_HERE = ' (it was never seen here: no such file, and no attempt on it was ever run)';

const wasNeverHere = ({ session, lock, room }: Places): boolean => ![session, lock, room].some((path) => existsSync(path));

function sentence(
  { result, holder, waitedMs }: StopAnswer, report: KeptReport | null | undefined, places: Places | null,
  { attempt }: StopCommandOptions,
): string {
  const now = Date.now();
  const id = `attempt ${shortId(holder?.attemptId ?? 'unknown')}`;
  switch (result) {
    case 'ended': {
      const how = report === undefined ? NOT_KEPT : endInWords(report);
      return `${id} has ended after ${inWords(waitedMs)}: ${how}`;
    }
    case 'stillHeld': {
      const why = `it was asked ${inWords(waitedMs)} ago and may be cleaning up, blocked or stopped`;
      return `still ${holderInWords(holder, now, hostname())}; ${why}; attempt doctor says more`;
    }
    case 'cannotAsk': return `${holderInWords(holder, now, hostname())}, which cannot be asked; nothing was changed`;
    case 'notHeld':
      if (holder === null) return `nobody holds it; there is nothing to stop${places && wasNeverHere(places) ? NEVER_HERE : ''}`;
      if (attempt !== undefined && !holder.attemptId?.startsWith(attempt)) {
        return `nothing to stop: attempt ${harmless(attempt)} does not hold it; it is ${holderInWords(holder, now, hostname())}`;
      }
      return `${id} is gone already; ${leaseEndInWords(holder.until, now) || 'the next attempt takes the lock over'}`;
  }
}

const STATUS: Readonly<Record<StopAnswer['result'], number>> = {
  ended: 0, notHeld: 0, stillHeld: EXIT.busy, cannotAsk: EXIT.matter,
};

/**
 * Asks, waits, and says what it met. Sets the exit status: 0 ended, or there was nothing to stop; 75 still held; 1 it is
 * held by what cannot be asked.
 * @throws AttemptError `SESSION_INVALID`
 */
export const stop = (session: string, options: StopCommandOptions): Promise<void> =>
  withStore(options, (store) => stopIn(store, session, options));

async function stopIn(store: OpenedStore, session: string, options: StopCommandOptions): Promise<void> {
  const { wait, attempt, reason, json = false } = options;
  const { locks } = store;
  const places = store.kind === 'files' ? placesOf(session, store.directory, 'read') : null;
  if (places && wasNeverHere(places)) expectSomewhere(session); // its directory may have gone while it is at work
  const path = places?.session ?? session;
  const name = harmless(places ? pathFromHere(path) : path);
  const onAsked = (holder: Holder): void => {
    if (!json) process.stderr.write(`attempt: ${name}: ${holderInWords(holder, Date.now(), hostname())}; asked to end\n`);
  };
  const met = attempt === undefined ? undefined : (await locks.query(session))[0]?.holder?.attemptId;
  const attemptId = met?.startsWith(attempt ?? '') ? met : attempt;
  const answer = await stopAttempt(session, {
    locks, withinMs: wait, onAsked, ...(attemptId !== undefined && { attemptId }), ...(reason !== undefined && { reason }),
  });
  const { result, holder } = answer;
  const report = !places ? undefined : result === 'ended' && holder ? await reportOf(places, holder) : null;
  const say = `${name}: ${sentence(answer, report, places, options)}`;
  const status = STATUS[result];
  process.exitCode = status;
  if (json) process.stdout.write(`${harmlessJson({ session: path, ...answer, report: report ?? null, say })}\n`);
  else (status === 0 ? process.stdout : process.stderr).write(`attempt: ${say}\n`);
}
