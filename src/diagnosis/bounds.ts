/**
 * When a held session is free at the latest, from the limits its holder has told. Pure.
 * The sums are those of the machine: what can still come after each state (SPEC, L1 and L2).
 */
import type { Budgets } from '../../machines/attempt.types.js';
import { BUDGET_NAMES, type HolderFacts } from '../locks/holder-facts.js';
import { inWords } from '../text.js';
import type { BudgetInForce, FreeBy } from './diagnosis.js';

const WORDS: Readonly<Record<keyof Budgets, string>> = {
  waitMs: 'to wait', answerMs: 'for an answer', openMs: 'to open', timeoutMs: 'to run', idleTimeoutMs: 'of silence',
  settleMs: 'to settle', cleanupMs: 'to clean up', leaseMs: 'of lease',
};

/** Its first word: `aborting.user` is `aborting`. */
export const stageOf = (state: string | null): string => state?.split('.')[0] ?? '';

/** What may still come, counted from the entry of a state. */
function stillToCome(stage: string, { hasCleanup }: HolderFacts): (keyof Budgets)[] | null {
  const cleaning: (keyof Budgets)[] = hasCleanup ? ['cleanupMs', 'leaseMs'] : ['leaseMs'];
  switch (stage) {
    case 'acquiring': case 'locked': return ['openMs', 'timeoutMs', 'settleMs', ...cleaning];
    case 'running': return ['timeoutMs', 'settleMs', ...cleaning];
    case 'aborting': return ['settleMs', ...cleaning];
    case 'cleaning': return cleaning;
    case 'releasing': return ['leaseMs'];
    default: return null;
  }
}

/** The bound of a holder that is at work, in a state, with limits. */
export function boundOf(state: string | null, facts: HolderFacts | null, now: number): FreeBy {
  if (facts === null) return { at: null, bound: 'it has not told its limits; if its process dies, its lease ends by itself' };
  const stage = stageOf(state);
  const parts = stillToCome(stage, facts);
  if (parts === null) return { at: null, bound: `its state (${state ?? 'unknown'}) has no limit that is known here` };
  const unlimited = parts.find((name) => typeof facts.budgets[name] !== 'number');
  if (unlimited === 'timeoutMs') return { at: null, bound: 'when its work ends: it has no time limit' };
  if (facts.onUnsettled === 'hold' && ['acquiring', 'locked', 'running', 'aborting'].includes(stage)) {
    const left = facts.stateSince + (facts.budgets.timeoutMs ?? 0) - now;
    const limit = stage === 'running' && left > 0 ? `its time limit ends it in ${inWords(left)}; then ` : '';
    return { at: null, bound: `${limit}it keeps the lock until its work really ends (onUnsettled: hold)` };
  }
  if (unlimited !== undefined) return { at: null, bound: `it has not told its limit ${WORDS[unlimited]}` };
  const sum = parts.reduce((all, name) => all + (facts.budgets[name] ?? 0), 0);
  const terms = parts.map((name) => [facts.budgets[name] ?? 0, WORDS[name]] as const)
    .flatMap(([ms, what]) => (ms === 0 ? [] : [`${inWords(ms)} ${what}`]));
  return { at: facts.stateSince + sum, bound: `its own limits, since it is ${stage}: ${terms.join(', ')}` };
}

/** The limit of each state's own. */
const LIMIT_OF: Readonly<Record<string, keyof Budgets | undefined>> = {
  locked: 'openMs', running: 'timeoutMs', aborting: 'settleMs', cleaning: 'cleanupMs', releasing: 'leaseMs',
};

/** Has the state lasted longer than its own limit allows? Which limit, or null. `slackMs`: what a busy machine may take. */
export function limitPassed(state: string | null, facts: HolderFacts | null, now: number, slackMs: number): string | null {
  const limit = LIMIT_OF[stageOf(state)];
  const ms = limit && facts?.budgets[limit];
  if (!facts || limit === undefined || typeof ms !== 'number') return null;
  const over = now - facts.stateSince - ms;
  return over > slackMs ? `its ${inWords(ms)} ${WORDS[limit]} were over ${inWords(over)} ago` : null;
}

/** The limits in force, in the order of an attempt's life. */
export const budgetsInForce = (facts: HolderFacts | null): readonly BudgetInForce[] =>
  BUDGET_NAMES.filter((name) => facts?.budgets[name] !== undefined)
    .filter((name) => name !== 'cleanupMs' || facts?.hasCleanup)
    .map((name) => ({ name, ms: facts?.budgets[name] ?? null, from: facts?.set.includes(name) ? 'set' : 'default' }));
