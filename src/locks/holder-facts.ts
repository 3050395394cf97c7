/**
 * What else a holder tells about itself, so that somebody who waits can see why it takes so long: since when it is in
 * its state, its last sign of life, its limits. Bounded. Owns: the shape, and what of it is believed when read back.
 */
import type { Budgets } from '../../machines/attempt.types.js';

export interface HolderFacts {
  /** Since when it is in its state. Wall clock, milliseconds since 1970. */
  readonly stateSince: number;
  /** Its last `progress()`; null if there was none. Wall clock, milliseconds since 1970. */
  readonly progressAt: number | null;
  /** The time to settle is over and the work has not settled. */
  readonly unsettled: boolean;
  readonly onUnsettled: 'fence' | 'hold';
  readonly hasCleanup: boolean;
  /** Its limits, milliseconds; null: no limit. */
  readonly budgets: Readonly<Partial<Record<keyof Budgets, number | null>>>;
  /** Those its caller has set; the others are defaults. */
  readonly set: readonly string[];
  /** The longest its event loop has let the heartbeat wait, milliseconds; null where nobody measured. */
  readonly loopDelayMs: number | null;
}

/** In the order of an attempt's life. */
export const BUDGET_NAMES: readonly (keyof Budgets)[] = [
  'waitMs', 'answerMs', 'openMs', 'timeoutMs', 'idleTimeoutMs', 'settleMs', 'cleanupMs', 'leaseMs',
];

/** Budgets as JSON can carry them. */
export const finiteOf = (budgets: Budgets): HolderFacts['budgets'] =>
  Object.fromEntries(BUDGET_NAMES.map((name) => [name, Number.isFinite(budgets[name]) ? budgets[name] : null]));

const count = (value: unknown): number | null =>
  (Number.isFinite(value) && (value as number) >= 0 ? value as number : null);

function budgetsOf(value: unknown): HolderFacts['budgets'] {
  if (typeof value !== 'object' || value === null) return {};
  const found = value as Record<string, unknown>;
  return Object.fromEntries(BUDGET_NAMES.filter((name) => name in found).map((name) => [name, count(found[name])]));
}

/** What was read back, as a stranger's; null where it is not what an attempt tells. Never throws. */
export function readFacts(value: unknown): HolderFacts | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = value as Record<string, unknown>;
  const stateSince = count(found['stateSince']);
  if (stateSince === null) return null;
  const { set } = found;
  return {
    stateSince, progressAt: count(found['progressAt']), unsettled: found['unsettled'] === true,
    onUnsettled: found['onUnsettled'] === 'hold' ? 'hold' : 'fence', hasCleanup: found['hasCleanup'] === true,
    budgets: budgetsOf(found['budgets']), set: BUDGET_NAMES.filter((name) => Array.isArray(set) && set.includes(name)),
    loopDelayMs: count(found['loopDelayMs']),
  };
}
