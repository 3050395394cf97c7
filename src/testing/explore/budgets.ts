/**
 * That the budgets of the run keep their word, as far as that shows without time: one that has an end is always being
 * counted, put off at most once, and leaves no timer behind. Milliseconds are for the tests of the driver.
 * Must not know: the store.
 */
import { pathOf } from '../../../machines/attempt.invariants.js';
import type { AttemptInput } from '../../../machines/attempt.types.js';
import type { AttemptState, Finding, Timer } from './states.js';

const timerOf = ({ timers }: AttemptState, id: string): Timer | undefined => timers.find((timer) => timer.id === id);
const has = (state: AttemptState, id: string): boolean => timerOf(state, id) !== undefined;

/** What is wrong with the budgets after this step. */
export function boundless(before: AttemptState, now: AttemptState, { budgets }: AttemptInput): Finding[] {
  const found = (id: string, what: string, is: boolean): Finding[] => (is ? [{ id, what }] : []);
  const { snapshot: { status, context: { clock, work } }, driver } = now;
  const isRunning = pathOf(now.snapshot.value).startsWith('running') && work === 'pending';
  const counts = driver.section !== 'pause' || clock.overdue !== null;
  const isCounted = (id: string, ms: number): boolean => !Number.isFinite(ms) || has(now, id) || has(now, 'grace');
  return [
    ...found('L5', 'a timer is left at the end', status === 'done' && now.timers.length > 0),
    ...found('L1', 'the run budget is not counted', isRunning && counts && !isCounted('run', budgets.timeoutMs)),
    ...found('L1', 'the idle budget is not counted', isRunning && counts && !isCounted('idle', budgets.idleTimeoutMs)),
    ...found('L1', 'a budget is put off twice', has(now, 'grace') && timerOf(now, 'grace') !== timerOf(before, 'grace')
      && before.snapshot.context.clock.overdue !== null),
  ];
}
