/**
 * Every question the machine asks. Pure predicates over what it remembers and the event in hand.
 * Must not know: clocks, disks, promises. Memoising a walk is sound only while this stays so.
 */
import { longestGrace, pausesOf } from './attempt.run-clock.js';
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

/** There is a grant to lose. */
export const knowsGrant = ({ context: { lock } }: Asked): boolean => lock === 'held' || lock === 'known';

/** An answer to any ask for the release of this grant: a definite answer stays true however late. */
export const answersRelease = ({ context, event }: Asked): boolean =>
  context.lock !== 'gone' && context.firstAsk > 0
  && seqOf(event) >= context.firstAsk && seqOf(event) <= context.seq;

/** Patience that ends. `waitMs: 0` is one try, not a timer: a timer of 0 can beat the try itself. */
export const hasPatience = ({ context }: Asked): boolean =>
  context.input.budgets.waitMs > 0 && Number.isFinite(context.input.budgets.waitMs);

export const isOneTry = ({ context }: Asked): boolean => context.input.budgets.waitMs === 0;

/** The budget whose timer this is has an end, and none was put off before: that one decides. */
export const isOverdue = ({ context: { input: { budgets }, clock }, event }: Asked): boolean =>
  clock.overdue === null && Number.isFinite(event.type === 'work.idled' ? budgets.idleTimeoutMs : budgets.timeoutMs);

/** ... and a section is open that may finish first. */
export const mayPutOff = (asked: Asked): boolean => isOverdue(asked) && longestGrace(asked.context.clock) > 0;

/** A budget was put off, and the last section it waited for is being left. */
export const endsGrace = ({ context: { clock } }: Asked): boolean =>
  clock.overdue !== null && clock.sections.length <= 1;

/** The budgets count. */
export const budgetsRun = ({ context }: Asked): boolean => pausesOf(context.clock) === 0;

/** The section being entered is the first that stops the budgets. */
export const beginsPause = ({ context, event }: Asked): boolean =>
  event.type === 'section.entered' && event.pausesBudgets && pausesOf(context.clock) === 0;

/** The section being left is the last that stops the budgets. */
export const endsPause = ({ context: { clock }, event }: Asked): boolean =>
  event.type === 'section.left' && event.pausesBudgets && pausesOf(clock) === 1;

/** Not held, says the answer to our only ask: the grant was ended by somebody else. */
export const isNews = (asked: Asked): boolean => answersRelease(asked) && asked.context.asks === 1;

/**
 * Nothing is left to wait for: the work has settled or was never started, or its time to settle is over and the
 * policy is not to hold a lock for it. A lost lease ends holding: there is nothing left to hold.
 */
export const canEnd = ({ context }: Asked): boolean => {
  if (context.work !== 'pending') return true;
  const timeIsOver = context.abort !== null && (context.unsettled || context.input.budgets.settleMs === 0);
  return timeIsOver && !(context.input.onUnsettled === 'hold' && context.lock === 'held');
};

/** ... and there is, or may be, a lock to give back. */
export const canRelease = (asked: Asked): boolean =>
  canEnd(asked) && ['held', 'known', 'asked'].includes(asked.context.lock);

/** ... one that we hold, and there is a cleanup to run under it first, for work that was started. */
export const canCleanUp = (asked: Asked): boolean =>
  canEnd(asked) && asked.context.lock === 'held' && asked.context.input.hasCleanup && asked.context.work !== 'none';
