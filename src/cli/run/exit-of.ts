/**
 * From the report of an attempt to the exit of the command, and to what is said about it. The cause decides.
 * Must not know: how the attempt was run.
 */
import { hostname } from 'node:os';
import { AttemptError, describe, StopAsked } from '../../errors.js';
import type { AttemptReport } from '../../report.js';
import { EXIT, statusOf, STOP_SIGNALS, type StopSignal } from '../exits.js';
import { harmless, holderInWords, inWords, leaseEndInWords, shortId } from '../../text.js';
import type { CommandEnd } from './process-group.js';
import type { RunOptions } from './run-options.js';

/** How the command is to end: with a status, or by the signal that stopped it. */
export type RunExit = { readonly status: number } | { readonly signal: StopSignal };

export interface Verdict {
  readonly exit: RunExit;
  /** One line each, for standard error. */
  readonly says: readonly string[];
  /** Said even when asked to be quiet: nothing was run, and nothing else tells why. */
  readonly always?: true;
}

export const isStop = (value: unknown): value is StopSignal => STOP_SIGNALS.includes(value as StopSignal);

/** @param command the first word of what was to be run */
export function verdictOf(report: AttemptReport<CommandEnd>, command: string, options: RunOptions): Verdict {
  const verdict = judge(report, command, options);
  const unconfirmed = report.lease === 'unconfirmed' || report.lease === 'expired';
  return unconfirmed
    ? { ...verdict, says: [...verdict.says, `no release of the lock was confirmed (${report.lease})`] } : verdict;
}

function judge(report: AttemptReport<CommandEnd>, command: string, options: RunOptions): Verdict {
  switch (report.outcome) {
    case 'completed': return { exit: { status: statusOf(report.value.code, report.value.signal) }, says: [] };
    case 'failed': return notRun(report.error, command);
    case 'notStarted': return notStarted(report, options);
    case 'aborted': return aborted(report, options);
  }
}

function aborted(report: Extract<AttemptReport<CommandEnd>, { outcome: 'aborted' }>, options: RunOptions): Verdict {
  const { abortedBy, reason, value, error } = report;
  if (abortedBy === 'user' && isStop(reason)) return { exit: { signal: reason }, says: [] };
  if (abortedBy === 'user' && reason instanceof StopAsked) return { exit: { signal: 'SIGTERM' }, says: [reason.message] };
  if (abortedBy === 'timeout') {
    const killed = value?.signal === 'SIGKILL' && options.signal !== 'SIGKILL' ? '; it had to be killed' : '';
    const says = [`timed out after ${inWords(options.timeout)}${killed}`];
    const status = options.preserveStatus && value ? statusOf(value.code, value.signal) : EXIT.timeout;
    return { exit: { status }, says };
  }
  const status = { superseded: EXIT.superseded, leaseLost: EXIT.leaseLost, user: EXIT.failed, shutdown: EXIT.failed };
  const asked = abortedBy === 'superseded' && typeof reason === 'string';
  const why = asked ? `superseded by attempt ${shortId(reason)}, which takes its place` : describe(error);
  return { exit: { status: status[abortedBy] }, says: [why] };
}

function notStarted(report: Extract<AttemptReport, { outcome: 'notStarted' }>, options: RunOptions): Verdict {
  const { error, session, timings } = report;
  if (error.code !== 'LOCK_BUSY') return { exit: { status: EXIT.failed }, says: [describe(error)], always: true };
  const now = Date.now();
  const end = error.holder?.until == null ? '' : `; ${leaseEndInWords(error.holder.until, now)}`;
  const once = options.nonblock || options.wait === 0;
  const tried = once ? '' : `gave up after ${inWords(timings.waitedMs ?? options.wait)}: `;
  return {
    exit: { status: options.conflictExitCode },
    says: [`${tried}${harmless(session)} is ${holderInWords(error.holder, now, hostname())}${end}`],
  };
}

/** What exec(2) says of a file that is there but cannot be run. */
const NOT_EXECUTABLE: readonly string[] = ['EACCES', 'ENOEXEC', 'EPERM', 'EISDIR', 'ENOTDIR'];

function notRun(error: unknown, command: string): Verdict {
  if (error instanceof AttemptError) return { exit: { status: EXIT.failed }, says: [error.message], always: true };
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return { exit: { status: EXIT.notFound }, says: [`${harmless(command)}: command not found`], always: true };
  }
  const unfit = NOT_EXECUTABLE.includes(code);
  const why = unfit ? `cannot be executed (${code})` : describe(error);
  const status = unfit ? EXIT.notExecutable : EXIT.failed;
  return { exit: { status }, says: [`${harmless(command)}: ${why}`], always: true };
}
