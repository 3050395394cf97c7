/**
 * The arithmetic of the budgets of running work: what is left of them, and what the sections open now do to them.
 * Owns: no time of its own. Every moment is a fact of the driver, in milliseconds since `running` was entered.
 */

/** A section as the budgets see it. */
export interface Section {
  /** How long a budget that is over waits for it, milliseconds. */
  readonly graceMs: number;
  /** The budgets stand still while it is open. */
  readonly pausesBudgets: boolean;
}

/** The budgets count while the work runs, windows included, and stand still in a section that pauses them. */
export interface RunClock {
  /** Open now. */
  readonly sections: readonly Section[];
  /** Run budget used up before it last stood still, and since when it goes on. */
  readonly spentMs: number;
  readonly resumedAtMs: number;
  /** The budget that was over inside a section and was put off, once; null while none was. */
  readonly overdue: 'run' | 'idle' | null;
}

export const newRunClock: RunClock = { sections: [], spentMs: 0, resumedAtMs: 0, overdue: null };

export const pausesOf = ({ sections }: RunClock): number => sections.filter((one) => one.pausesBudgets).length;

export const longestGrace = ({ sections }: RunClock): number =>
  sections.reduce((most, { graceMs }) => Math.max(most, graceMs), 0);

export function enterSection(clock: RunClock, { graceMs, pausesBudgets }: Section, ranMs: number): RunClock {
  const stops = pausesBudgets && pausesOf(clock) === 0;
  return {
    ...clock,
    sections: [...clock.sections, { graceMs, pausesBudgets }],
    spentMs: stops ? clock.spentMs + ranMs - clock.resumedAtMs : clock.spentMs,
  };
}

export function leaveSection(clock: RunClock, { graceMs, pausesBudgets }: Section, ranMs: number): RunClock {
  const left = clock.sections.findIndex((one) => one.graceMs === graceMs && one.pausesBudgets === pausesBudgets);
  const after = { ...clock, sections: clock.sections.filter((_, index) => index !== left) };
  const goesOn = pausesOf(clock) > 0 && pausesOf(after) === 0;
  return goesOn ? { ...after, resumedAtMs: ranMs } : after;
}
