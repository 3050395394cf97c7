/**
 * Every wait of the machine, by name, in milliseconds.
 * XState fires a timer of NaN, Infinity or more than 2^31-1 ms at once, so such numbers are refused here, and an
 * edge whose limit may be "never" also carries a guard (`hasPatience`, `isOverdue`).
 */
import { longestGrace } from './attempt.run-clock.js';
import type { AttemptContext, Budgets } from './attempt.types.js';

/** The longest timer JavaScript keeps: 2^31-1 ms, about 24.8 days. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Only these may be Infinity ("never"). The others bound the way to the end and have to end themselves. */
export const MAY_BE_INFINITE: readonly (keyof Budgets)[] = ['waitMs', 'timeoutMs', 'idleTimeoutMs'];

/**
 * Checks that every budget is a number of milliseconds a timer can keep.
 * @returns the same budgets. @throws RangeError naming the budget, what was expected and what was found.
 */
export function checkBudgets(budgets: Budgets): Budgets {
  for (const [name, ms] of Object.entries(budgets) as [keyof Budgets, unknown][]) {
    const mayBeInfinite = MAY_BE_INFINITE.includes(name);
    if (ms === Infinity && mayBeInfinite) continue;
    if (typeof ms !== 'number' || !(ms >= 0 && ms <= LONGEST_MS)) {
      const range = `0 to ${LONGEST_MS}${mayBeInfinite ? ' or Infinity' : ''}`;
      throw new RangeError(`${name}: expected milliseconds from ${range}, got ${String(ms)}`);
    }
  }
  return budgets;
}

interface Delayed {
  readonly context: AttemptContext;
}

/** Pauses between asks for release: they double from here, so that a store in trouble is not hammered. */
const FIRST_RETRY_MS = 50;

export const delays = {
  waitMs: ({ context }: Delayed) => context.input.budgets.waitMs,
  answerMs: ({ context }: Delayed) => context.input.budgets.answerMs,
  openMs: ({ context }: Delayed) => context.input.budgets.openMs,
  /** What is left of the run budget. */
  runMs: ({ context }: Delayed) => Math.max(context.input.budgets.timeoutMs - context.clock.spentMs, 0),
  idleTimeoutMs: ({ context }: Delayed) => context.input.budgets.idleTimeoutMs,
  /** How long a budget that is over waits for the sections open now. */
  graceMs: ({ context }: Delayed) => longestGrace(context.clock),
  settleMs: ({ context }: Delayed) => context.input.budgets.settleMs,
  cleanupMs: ({ context }: Delayed) => context.input.budgets.cleanupMs,
  leaseMs: ({ context }: Delayed) => context.input.budgets.leaseMs,
  /** One ask for release: `answerMs`, but never so long that the lease ends before a second ask. */
  askMs: ({ context }: Delayed) => Math.min(context.input.budgets.answerMs, context.input.budgets.leaseMs / 4),
  /** 50, 100, 200 ... ms, at most a quarter of the lease. */
  retryMs: ({ context }: Delayed) =>
    Math.min(FIRST_RETRY_MS * 2 ** Math.min(context.asks - 1, 16), context.input.budgets.leaseMs / 4),
} as const;
