/**
 * The ways an attempt can be set up that its machine tells apart. Budgets matter only by what they are compared with:
 * zero, finite or never, and whether a timer is as long as a lease.
 */
import type { AttemptInput, Budgets } from '../../../machines/attempt.types.js';

/** What the work may do besides running: give the lock up for a window, once; have delicate sections, one at a time. */
export interface Habits {
  readonly windows: boolean;
  readonly sections: boolean;
}

export interface Variant {
  readonly name: string;
  readonly input: AttemptInput;
  readonly habits: Habits;
}

/**
 * The lease is four times the first pause between asks for release, so that all pauses are equally long and one ask
 * more makes no other state. Only `leaseMs` and what may be longer (waiting, running) is as long as a lease.
 */
export const WALK_BUDGETS: Budgets = {
  waitMs: 1_000, answerMs: 60, openMs: 70, timeoutMs: 2_000, idleTimeoutMs: 500, settleMs: 80, cleanupMs: 90,
  leaseMs: 200,
};

const nameOf = (input: AttemptInput): string => [
  input.onUnsettled, input.hasCleanup ? 'cleanup' : 'no cleanup',
  `settleMs ${input.budgets.settleMs}`, `waitMs ${input.budgets.waitMs}`,
  input.budgets.timeoutMs === Infinity ? 'no run budget' : 'run budget',
].join(', ');

const everything: Habits = { windows: true, sections: true };

/** Every combination of the choices: 48 of them, each with work that may do all there is. */
export const allVariants: readonly Variant[] = (['fence', 'hold'] as const).flatMap((onUnsettled) =>
  [true, false].flatMap((hasCleanup) =>
    [WALK_BUDGETS.settleMs, 0].flatMap((settleMs) =>
      [WALK_BUDGETS.waitMs, 0, Infinity].flatMap((waitMs) =>
        [true, false].map((hasRunBudget) => {
          const limits = hasRunBudget ? {} : { timeoutMs: Infinity, idleTimeoutMs: Infinity };
          const budgets = { ...WALK_BUDGETS, settleMs, waitMs, ...limits };
          const input: AttemptInput = { budgets, hasCleanup, onUnsettled, leaseEnds: true };
          return { name: nameOf(input), input, habits: everything };
        })))));

/** The same set-up with work that does less. */
export function living(variant: Variant, habits: Partial<Habits>): Variant {
  const all = { ...variant.habits, ...habits };
  const without = [...all.windows ? [] : ['no window'], ...all.sections ? [] : ['no sections']];
  return { ...variant, name: [nameOf(variant.input), ...without].join(', '), habits: all };
}

/** As unlike as two set-ups can be: for attempts that meet. */
export const twoVariants: readonly Variant[] = [
  'fence, cleanup, settleMs 80, waitMs 1000, run budget', 'hold, no cleanup, settleMs 0, waitMs Infinity, no run budget',
].map((wanted) => allVariants.find((variant) => variant.name === wanted)!);
