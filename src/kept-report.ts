/**
 * What of a report is kept beside the lock, for whoever asks later: facts, bounded, and nothing of the session's
 * content (`value` is left out). Owns: the shape, and what of it is believed when it is read back.
 * Must not know: where it is kept.
 */
import { describe } from './errors.js';
import type { AttemptReport } from './report.js';

/** An error in a few words. */
export interface KeptError {
  readonly name: string;
  /** Stable code, where it has one. */
  readonly code: string | null;
  /** At most 300 characters. */
  readonly message: string;
}

/** The facts of one attempt that held the lock. Names as in `AttemptReport`. */
export interface KeptReport {
  readonly token: number;
  readonly attemptId: string;
  readonly pid: number | null;
  readonly host: string | null;
  readonly outcome: string;
  readonly abortedBy: string | null;
  readonly timeoutKind: string | null;
  readonly lateAborts: readonly string[];
  readonly lease: string;
  readonly settled: boolean | null;
  readonly abandoned: boolean;
  readonly fencing: string;
  /** When it ended. Wall clock, milliseconds since 1970. */
  readonly endedAt: number;
  /** Milliseconds; null as in the report. */
  readonly timings: Readonly<Record<'waitedMs' | 'heldMs' | 'ranMs' | 'abortToReleaseMs', number | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly error: KeptError | null;
  /** The last states it passed: `at` in milliseconds since its start. */
  readonly path: readonly { readonly at: number; readonly to: string; readonly event: string }[];
}

const MOST_TEXT = 300;
const MOST_PATH = 12;
const MOST_LABELS = 32;
const MOST_ABORTS = 5;

const cut = (text: string, most = MOST_TEXT): string => (text.length <= most ? text : `${text.slice(0, most - 1)}\u2026`);
const text = (value: unknown, most = MOST_TEXT): string | null => (typeof value === 'string' ? cut(value, most) : null);
const ms = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);

/** An error of any kind, whatever its getters do. */
function errorOf(thrown: unknown): KeptError | null {
  if (thrown === null || thrown === undefined) return null;
  const message = cut(describe(thrown));
  try {
    const { name, code } = thrown as { readonly name?: unknown; readonly code?: unknown };
    return { name: text(name, 80) ?? 'Error', code: text(code, 80), message };
  } catch {
    return { name: 'Error', code: null, message }; // an error that cannot even be looked at
  }
}

/** @param by who ran it, and when it ended */
export function keptOf(
  report: AttemptReport, token: number, by: { readonly pid: number; readonly host: string; readonly endedAt: number },
): KeptReport {
  const { waitedMs, heldMs, ranMs, abortToReleaseMs } = report.timings;
  const path = report.trace.transitions.slice(-MOST_PATH).map(({ at, to, event }) => ({ at: Math.round(at), to, event }));
  return {
    token, attemptId: report.attemptId, pid: by.pid, host: by.host, endedAt: by.endedAt,
    outcome: report.outcome, abortedBy: report.abortedBy,
    timeoutKind: report.timeoutKind, lateAborts: report.lateAborts, lease: report.lease, settled: report.settled,
    abandoned: report.abandoned, fencing: report.fencing,
    timings: { waitedMs: ms(waitedMs), heldMs: ms(heldMs), ranMs: ms(ranMs), abortToReleaseMs: ms(abortToReleaseMs) },
    labels: report.labels, error: errorOf(report.error ?? report.releaseError ?? report.cleanupError), path,
  };
}

/** The report as one line of at most so many bytes: what explains least goes first. */
export function lineOf(report: KeptReport, mostBytes: number): string {
  const { error } = report;
  const shortError = error && { ...error, message: cut(error.message, 80) };
  const smallerAndSmaller: readonly Partial<KeptReport>[] = [
    {}, { path: report.path.slice(-6) }, { path: [] }, { path: [], labels: {} }, { path: [], labels: {}, error: shortError },
  ];
  for (const instead of smallerAndSmaller) {
    const line = JSON.stringify(Object.assign({}, report, instead));
    if (Buffer.byteLength(line) <= mostBytes) return line;
  }
  throw new RangeError(`the report of ${report.attemptId} does not fit into ${mostBytes} bytes`); // ids are bounded
}

const count = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const list = (value: unknown, most: number): readonly unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);
const fieldsOf = (value: unknown): Record<string, unknown> =>
  (typeof value === 'object' && value !== null ? value as Record<string, unknown> : {});

function keptErrorOf(value: unknown): KeptError | null {
  const { name, code, message } = fieldsOf(value);
  const said = text(message);
  return said === null ? null : { name: text(name, 80) ?? 'Error', code: text(code, 80), message: said };
}

function pathOf(value: unknown): KeptReport['path'] {
  return list(value, MOST_PATH).flatMap((step) => {
    const { at, to, event } = fieldsOf(step);
    return typeof at === 'number' && typeof to === 'string'
      ? [{ at, to: cut(to, 40), event: text(event, 40) ?? '' }] : [];
  });
}

/** What was read back, as a stranger's: null unless it says who, with which token, and how it ended. Never throws. */
export function readKept(line: string): KeptReport | null {
  let found: Record<string, unknown>;
  try {
    found = fieldsOf(JSON.parse(line));
  } catch {
    return null; // being written, or not by us
  }
  const token = count(found['token']);
  const [attemptId, outcome, lease] = [text(found['attemptId'], 200), text(found['outcome'], 20), text(found['lease'], 20)];
  const endedAt = count(found['endedAt']);
  if (token === null || token < 1 || !Number.isSafeInteger(token)) return null;
  if (attemptId === null || outcome === null || lease === null || endedAt === null) return null;
  const times = fieldsOf(found['timings']);
  const labels = Object.entries(fieldsOf(found['labels'])).slice(0, MOST_LABELS)
    .flatMap(([key, value]) => (typeof value === 'string' ? [[cut(key), cut(value)]] : []));
  return {
    token, attemptId, outcome, lease, endedAt, pid: count(found['pid']), host: text(found['host']),
    abortedBy: text(found['abortedBy'], 20), timeoutKind: text(found['timeoutKind'], 20),
    lateAborts: list(found['lateAborts'], MOST_ABORTS).flatMap((one) => text(one, 20) ?? []),
    settled: typeof found['settled'] === 'boolean' ? found['settled'] : null, abandoned: found['abandoned'] === true,
    fencing: text(found['fencing'], 20) ?? 'none',
    timings: {
      waitedMs: count(times['waitedMs']), heldMs: count(times['heldMs']), ranMs: count(times['ranMs']),
      abortToReleaseMs: count(times['abortToReleaseMs']),
    },
    labels: Object.fromEntries(labels), error: keptErrorOf(found['error']), path: pathOf(found['path']),
  };
}
