/**
 * What a row promises, what was found, and whether they agree. Pure, so that it can be shown to be able to fail.
 */
import type { AbortedBy, LeaseOutcome, Outcome } from '../index.js';
import { stateInWords } from '../text.js';

/** One promise of a row. `expected` and `found` are what the screen shows if they disagree. */
export interface Check {
  readonly ok: boolean;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** A row as it is shown. */
export interface Row {
  readonly title: string;
  /** How the work ended: the report's first axis. */
  readonly outcome: string;
  /** What became of the lock: the second. */
  readonly lock: string;
  /** The states in order; null where there is none to show. */
  readonly path: string;
  /** Until a waiting process was granted the lock; null if none was. */
  readonly nextMs: number | null;
  /** Since when that is counted: "after the stop". */
  readonly since: string;
  /** What else is worth a line. */
  readonly notes: readonly string[];
  readonly checks: readonly Check[];
}

export const isAsPromised = (row: Row): boolean => row.checks.length > 0 && row.checks.every(({ ok }) => ok);

/** 0 only if there are rows and every one of them, and every other check, is as promised. */
export function exitCodeOf(rows: readonly Row[], others: readonly Check[]): 0 | 1 {
  return rows.length > 0 && rows.every(isAsPromised) && others.every(({ ok }) => ok) ? 0 : 1;
}

export function same(what: string, expected: string | number | boolean, found: string | number | boolean): Check {
  return { what, ok: expected === found, expected: String(expected), found: String(found) };
}

/** `from` and `to` in milliseconds, both included. */
export function within(what: string, from: number, to: number, found: number | null): Check {
  const expected = from > 0 ? `${Math.round(from)} to ${Math.round(to)} ms` : `within ${Math.round(to)} ms`;
  const ok = found !== null && found >= from && found <= to;
  return { what, expected, ok, found: found === null ? 'never' : `${found.toFixed(1)} ms` };
}

/** A row that did not come to its end. `held`: who has the lock, as far as it can be told. */
export function brokenRow(title: string, error: unknown, held: string): Row {
  const found = `${error instanceof Error ? error.message : String(error)}; ${held}`;
  return {
    title, outcome: '', lock: '', path: '', nextMs: null, since: '', notes: [],
    checks: [{ ok: false, what: 'the row', expected: 'comes to its end', found }],
  };
}

/** What a row promises of the attempt it shows. */
export interface Promised {
  readonly outcome: Outcome;
  readonly abortedBy: AbortedBy | null;
  readonly abandoned: boolean;
  readonly lease: LeaseOutcome;
  readonly path: readonly string[];
}

/** Compares an attempt's end with its promise, field by field. */
export function checkEnding(promised: Promised, found: Promised): readonly Check[] {
  return [
    same('outcome', promised.outcome, found.outcome),
    same('aborted by', promised.abortedBy ?? 'nobody', found.abortedBy ?? 'nobody'),
    same('run marked abandoned', promised.abandoned, found.abandoned),
    same('lock', promised.lease, found.lease),
    same('path', showPath(promised.path), showPath(found.path)),
  ];
}

const HELD = ['locked', 'running', 'aborting', 'cleaning', 'releasing'];

/** States in which we hold the lock, as the table of the machine says. After a loss, `aborting` no longer does. */
function isHeld(state: string): boolean {
  return state !== 'aborting.leaseLost' && HELD.includes(state.split('.')[0] ?? '');
}

/** The states in order, with the part in which the lock is held in brackets. An open bracket: it did not end. */
export function showPath(states: readonly string[]): string {
  return states.map((state, i) => {
    const opens = isHeld(state) && !isHeld(states[i - 1] ?? '');
    const closes = isHeld(state) && i + 1 < states.length && !isHeld(states[i + 1] ?? '');
    return `${opens ? '[' : ''}${stateInWords(state)}${closes ? ']' : ''}`;
  }).join(' → ');
}
