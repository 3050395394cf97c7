/**
 * What the page knows: attempts and the event log, made from records, live or replayed, by one and the same reducer.
 * Owns: the bounds of what is kept. Must not know: the document, the server.
 */
import type { AttemptRecord, EndRecord, TraceRecord, TransitionRecord } from '../../trace/record.js';

/** A record and when it was made, wall clock, milliseconds. */
export interface Entry {
  readonly wall: number;
  readonly record: TraceRecord;
}

/** An attempt that was at work before anybody looked. */
export interface Known {
  readonly attemptId: string;
  readonly session: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly abortedBy: string | null;
  readonly token: number | null;
}

export interface View {
  readonly attemptId: string;
  readonly session: string;
  labels: Readonly<Record<string, string>>;
  pid: number | null;
  budgets: AttemptRecord['input']['budgets'] | null;
  state: string;
  /** Since when it is in this state, in this top state, at work; wall clock. */
  since: number;
  phaseSince: number;
  ranSince: number | null;
  readonly begun: number;
  ended: number | null;
  token: number | null;
  abortedBy: string | null;
  lateAborts: readonly string[];
  lock: string;
  unsettled: boolean;
  end: EndRecord | null;
  /** States in order, each from when on; the first ones are left out of a very long life. */
  segments: { readonly state: string; readonly from: number }[];
  /** Steps taken, the last 64. */
  taken: { readonly from: string; readonly to: string; readonly event: string }[];
}

export interface LogLine {
  readonly wall: number;
  readonly attemptId: string;
  readonly session: string;
  readonly text: string;
}

const MOST_ENDED = 100;
const MOST_LOG = 2_000;
const MOST_STEPS = 64;

export const topOf = (state: string): string => state.split('.')[0] ?? '';

export class Model {
  readonly attempts = new Map<string, View>();
  readonly log: LogLine[] = [];
  /** Lines that are no longer kept. */
  forgotten = 0;

  clear(): void {
    this.attempts.clear();
    this.log.length = 0;
    this.forgotten = 0;
  }

  know({ attemptId, session, labels, state, abortedBy, token }: Known, wall: number): void {
    if (this.attempts.has(attemptId)) return;
    Object.assign(this.#view(attemptId, session, wall, state), { labels, abortedBy, token });
  }

  take({ wall, record }: Entry): void {
    const view = this.attempts.get(record.attemptId) ?? this.#view(record.attemptId, record.session, wall, 'idle');
    if (record.kind === 'attempt') {
      Object.assign(view, { labels: record.labels, pid: record.pid, budgets: record.input.budgets });
    } else if (record.kind === 'transition') {
      this.#step(view, wall, record);
    } else {
      Object.assign(view, { end: record, ended: wall, token: record.token });
      this.#log(wall, view, `ended: ${endInWords(record)}`);
      this.#forgetEnded();
    }
  }

  #view(attemptId: string, session: string, wall: number, state: string): View {
    const view: View = {
      attemptId, session, labels: {}, pid: null, budgets: null, state, since: wall, phaseSince: wall, ranSince: null,
      begun: wall, ended: null, token: null, abortedBy: null, lateAborts: [], lock: 'none', unsettled: false, end: null,
      segments: [{ state, from: wall }], taken: [],
    };
    this.attempts.set(attemptId, view);
    return view;
  }

  #step(view: View, wall: number, { event, from, to, after }: TransitionRecord): void {
    if (to !== view.state) {
      if (topOf(to) !== topOf(view.state)) view.phaseSince = wall;
      if (topOf(to) === 'running') view.ranSince ??= wall;
      view.state = to;
      view.since = wall;
      if (view.segments.push({ state: to, from: wall }) > MOST_STEPS) view.segments.shift();
    }
    if (view.taken.push({ from, to, event: event.type }) > MOST_STEPS) view.taken.shift();
    Object.assign(view, {
      token: after.token, abortedBy: after.abort?.by ?? null, lateAborts: after.lateAborts, lock: after.lock,
      unsettled: after.unsettled,
    });
    this.#log(wall, view, `${event.type}${event.code ? ` (${event.code})` : ''}${from === to ? `, in ${to}` : `: ${from} to ${to}`}`);
  }

  #log(wall: number, { attemptId, session }: View, text: string): void {
    if (this.log.push({ wall, attemptId, session, text }) <= MOST_LOG) return;
    this.log.shift();
    this.forgotten += 1;
  }

  #forgetEnded(): void {
    const ended = [...this.attempts.values()].filter((view) => view.ended !== null);
    for (const view of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) this.attempts.delete(view.attemptId);
  }
}

export const endInWords = ({ outcome, abortedBy, lease, code, settled, abandoned }: EndRecord): string => [
  `${outcome}${abortedBy ? ` by ${abortedBy}` : ''}`, `lease ${lease}`, ...(code ? [code] : []),
  ...(settled === false ? ['work not settled'] : []), ...(abandoned ? ['abandoned'] : []),
].join(', ');

/** What runs out next, and when; wall clock. Null: nothing does. */
export function countdownOf(view: View): { readonly what: string; readonly at: number } | null {
  const { budgets, state, phaseSince, since, ranSince } = view;
  if (budgets === null || view.ended !== null) return null;
  const until = (what: string, from: number, ms: number | null) => (ms === null ? null : { what, at: from + ms });
  switch (topOf(state)) {
    case 'acquiring': return state.endsWith('cancelling') ? until('answer', since, budgets.answerMs)
      : until('wait', phaseSince, budgets.waitMs === 0 ? budgets.answerMs : budgets.waitMs);
    case 'locked': return until('open', since, budgets.openMs);
    case 'running': return until('run', ranSince ?? phaseSince, budgets.timeoutMs);
    case 'aborting': return until('settle', phaseSince, budgets.settleMs);
    case 'cleaning': return until('cleanup', phaseSince, budgets.cleanupMs);
    case 'releasing': return until('lease', phaseSince, budgets.leaseMs);
    default: return null;
  }
}
