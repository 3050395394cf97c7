/**
 * Every question the machine asks. Pure predicates over what it remembers and the event in hand.
 * Must not know: clocks, disks, promises. Memoising a walk is sound only while this stays so.
 */
import type { AttemptContext, AttemptEvent } from './attempt.types.js';

interface Asked {
  readonly context: AttemptContext;
  readonly event: AttemptEvent;
}

const seqOf = (event: AttemptEvent): number => ('seq' in event ? event.seq : -1);

/** The answer to the last command, not to an earlier one. */
export const isAnswer = ({ context, event }: Asked): boolean => seqOf(event) === context.seq;

/** The first answer to the request for the lock; it may still come while we are already giving back. */
export const answersRequest = ({ context, event }: Asked): boolean =>
  context.lock === 'asked' && seqOf(event) === context.request;

/** An answer to any ask for release since `releasing` was entered: a definite answer stays true however late. */
export const answersRelease = ({ context, event }: Asked): boolean =>
  context.firstAsk > 0 && seqOf(event) >= context.firstAsk && seqOf(event) <= context.seq;

/** Patience that ends. `waitMs: 0` is one try, not a timer: a timer of 0 can beat the try itself. */
export const hasPatience = ({ context }: Asked): boolean =>
  context.budgets.waitMs > 0 && Number.isFinite(context.budgets.waitMs);

export const isOneTry = ({ context }: Asked): boolean => context.budgets.waitMs === 0;

export const hasRunBudget = ({ context }: Asked): boolean => Number.isFinite(context.budgets.timeoutMs);

export const hasIdleBudget = ({ context }: Asked): boolean => Number.isFinite(context.budgets.idleTimeoutMs);

/**
 * Nothing is left to wait for: the work has settled or was never started, or its time to settle is over and the
 * policy is not to hold a lock for it. A lost lease ends holding: there is nothing left to hold.
 */
export const canEnd = ({ context }: Asked): boolean => {
  if (context.work !== 'pending') return true;
  const timeIsOver = context.abort !== null && (context.unsettled || context.budgets.settleMs === 0);
  return timeIsOver && !(context.onUnsettled === 'hold' && context.lock === 'held');
};

/** ... and we still have a lock to give back. */
export const canRelease = (asked: Asked): boolean => canEnd(asked) && asked.context.lock === 'held';

/** ... and there is a cleanup to run under it first, for work that was started. */
export const canCleanUp = (asked: Asked): boolean =>
  canRelease(asked) && asked.context.hasCleanup && asked.context.work !== 'none';
