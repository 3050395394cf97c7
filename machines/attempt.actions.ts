/**
 * What happens on the edges: records (pure assignments of facts) and commands (names the driver performs).
 * The first abort and the outcome it decides are never overwritten: no edge that a later abort takes records one.
 */
import { assign } from 'xstate';
import type {
  AbortedBy, AttemptContext, AttemptEvent, AttemptInput, AttemptOutput, Outcome, StartFailure, TimeoutKind,
} from './attempt.types.js';
import { checkBudgets } from './attempt.delays.js';
import { enterSection, leaveSection, newRunClock } from './attempt.run-clock.js';

interface Recording {
  readonly context: AttemptContext;
  readonly event: AttemptEvent;
}
type Facts = Partial<AttemptContext>;

/** Before anything is asked. Throws RangeError for budgets no timer can keep (see `checkBudgets`). */
export const initialContext = ({ input }: { input: AttemptInput }): AttemptContext => ({
  input: { ...input, budgets: checkBudgets(input.budgets) },
  seq: 0,
  request: 0,
  lock: 'none',
  token: null,
  failure: null,
  abort: null,
  lateAborts: [],
  work: 'none',
  clock: newRunClock,
  value: undefined,
  workError: undefined,
  unsettled: false,
  abandoned: false,
  cleanupError: undefined,
  asks: 0,
  firstAsk: 0,
  releaseError: undefined,
  lease: null,
});

/**
 * Names the driver performs; the machine only says when. Each is performed after the transition that names it, in
 * order, and its answer, if it wants one, comes back as an event with the number the context had at that moment.
 */
export const commands = {
  /** Ask the store for the lock, once. */
  requestLock: () => {},
  /** Nobody wants the lock any more: tell the store. Harmless after an answer. */
  cancelRequest: () => {},
  /** Open the session for writing under the lease. */
  openSession: () => {},
  /** An opening still under way is not wanted any more; what it opens later is closed. */
  endOpening: () => {},
  /** Call the work, once, with an open writer. */
  startWork: () => {},
  /** The lock has been given up: let the caller's window run, once for each `lock.yield`. */
  runWindow: () => {},
  /** The lock is ours again, under a new token: open the writer, let the work go on. */
  resumeWork: () => {},
  /** No further write of the work passes from here on. */
  closeWriter: () => {},
  /** Fire the work's signal. */
  tellWork: () => {},
  /** Call the caller's `onTimeout`. */
  callOnTimeout: () => {},
  /** Call the caller's cleanup with a writer of its own. */
  runCleanup: () => {},
  /** Close the cleanup's writer and fire its signal. */
  endCleanup: () => {},
  /** Stop renewing and ask for release: of the grant if it is known, else of whatever our owner holds. */
  askRelease: () => {},
} as const;

const byOf = (event: AttemptEvent): AbortedBy | null => {
  switch (event.type) {
    case 'abort.user': return 'user';
    case 'abort.timeout': return 'timeout';
    case 'abort.shutdown': return 'shutdown';
    case 'abort.superseded': return 'superseded';
    case 'lease.lost': case 'release.notHeld': return 'leaseLost'; // the second where it is the first we hear of it
    default: return null;
  }
};
const kindOf = (event: AttemptEvent): TimeoutKind | null => (event.type === 'abort.timeout' ? event.kind : null);
const detailOf = (event: AttemptEvent): unknown =>
  'error' in event ? event.error : 'holder' in event ? event.holder : undefined;
const notToBeUsed = ({ lock }: AttemptContext): AttemptContext['lock'] => (lock === 'held' ? 'known' : lock);
const failure = (code: StartFailure['code'], detail?: unknown): Facts => ({ failure: { code, detail } });

/** Recorded where a limit ended the wait. Objects of ours: nothing that is thrown can be taken for them. */
export const OVER_TIME = Object.freeze({ limit: 'cleanupMs' });
export const NO_ANSWER = Object.freeze({ limit: 'answerMs' });

const records = {
  /** Each command that wants an answer gets the next number. */
  countCommand: ({ context }: Recording): Facts => ({ seq: context.seq + 1 }),
  /** What was asked about an earlier grant says nothing about this one. */
  recordRequest: ({ context }: Recording): Facts => ({
    seq: context.seq + 1, request: context.seq + 1, lock: 'asked', asks: 0, firstAsk: 0,
  }),
  recordGrant: ({ event }: Recording): Facts => ({
    lock: 'held', token: event.type === 'lock.granted' ? event.token : null,
  }),
  /** In a window: ours again, but to be used only when the session is open again. */
  recordGrantBack: ({ event }: Recording): Facts => ({
    lock: 'known', token: event.type === 'lock.granted' ? event.token : null,
  }),
  recordHeldAgain: (): Facts => ({ lock: 'held' }),
  recordBusy: ({ context, event }: Recording): Facts => ({
    lock: 'refused', lease: context.lease ?? 'neverHeld', ...failure('LOCK_BUSY', detailOf(event)),
  }),
  recordPatienceOver: (): Facts => failure('LOCK_BUSY'),
  /** The store failed or kept silent. That outranks an end of patience: nobody said that the lock was taken. */
  recordStoreFailure: ({ event }: Recording): Facts => failure('LOCK_STORE_FAILED', detailOf(event)),
  recordOpenFailure: ({ event }: Recording): Facts => failure('SESSION_OPEN_FAILED', detailOf(event)),

  /** The first abort, frozen: used only on edges that a first abort takes. */
  recordAbort: ({ event }: Recording): Facts => {
    const by = byOf(event);
    return by === null ? {} : { abort: { by, kind: kindOf(event), reason: 'reason' in event ? event.reason : undefined } };
  },
  /** Every later abort: each kind once, and nothing else changes. */
  recordLateAbort: ({ context, event }: Recording): Facts => {
    const by = byOf(event);
    return by === null || context.lateAborts.includes(by) ? {} : { lateAborts: [...context.lateAborts, by] };
  },
  /** Only a timeout does this, and only to work that had started. */
  markAbandoned: ({ context }: Recording): Facts => ({ abandoned: context.work === 'pending' }),
  /** Of a grant that is known. A request that is out may still be granted, whatever became of the grant before it. */
  recordLoss: ({ context }: Recording): Facts => ({ lock: context.lock === 'asked' ? 'asked' : 'gone', lease: 'lost' }),
  /**
   * A window that could not be ended with the lock in hand, for the reason recorded just before. What may be held all
   * the same is given back.
   */
  recordWindowLoss: ({ context }: Recording): Facts => ({
    abort: { by: 'leaseLost', kind: null, reason: context.failure },
  }),

  recordStart: (): Facts => ({ work: 'pending' }),
  recordReturn: ({ event }: Recording): Facts => ({
    work: 'returned', value: event.type === 'work.returned' ? event.value : undefined,
  }),
  recordThrow: ({ event }: Recording): Facts => ({ work: 'threw', workError: detailOf(event) }),
  recordSection: ({ context: { clock }, event }: Recording): Facts =>
    (event.type === 'section.entered' ? { clock: enterSection(clock, event, event.ranMs) } : {}),
  recordSectionEnd: ({ context: { clock }, event }: Recording): Facts =>
    (event.type === 'section.left' ? { clock: leaveSection(clock, event, event.ranMs) } : {}),
  /** A budget is over inside a section: put off, once. */
  recordOverdue: ({ context: { clock }, event }: Recording): Facts => ({
    clock: { ...clock, overdue: event.type === 'work.idled' ? 'idle' : 'run' },
  }),
  recordUnsettled: (): Facts => ({ unsettled: true }),

  recordCleanupFailure: ({ event }: Recording): Facts => ({ cleanupError: detailOf(event) ?? OVER_TIME }),

  /**
   * Of a grant that is being given back already any ask's answer counts. Entered anew (a grant came late): answers
   * to earlier asks, by owner, say nothing about it. That those asks went out is not forgotten, for one of them may be
   * what ended the grant: "not held" is then no loss.
   */
  beginReleasing: ({ context }: Recording): Facts => ({ firstAsk: context.lock === 'known' ? context.firstAsk : 0 }),
  recordAsk: ({ context }: Recording): Facts => ({
    seq: context.seq + 1, asks: context.asks + 1, lock: notToBeUsed(context),
    firstAsk: context.firstAsk === 0 ? context.seq + 1 : context.firstAsk,
  }),
  recordReleaseFailure: ({ event }: Recording): Facts => ({ releaseError: detailOf(event) ?? NO_ANSWER }),
  recordReleased: (): Facts => ({ lock: 'gone', lease: 'released' }),
  /**
   * Not held, says the store. As the answer to the first and only ask that is a loss (or, where no grant was ever
   * known, a definite no). After an ask that went unanswered it may as well be our own release: unconfirmed.
   */
  recordNotHeld: ({ context }: Recording): Facts => ({
    lock: 'gone',
    lease: context.asks > 1 ? 'unconfirmed' : context.lock === 'known' ? 'lost' : context.lease ?? 'neverHeld',
  }),
  /** No definite answer in the whole time a lease lives without renewal. A known grant has ended by itself. */
  recordLeaseEnd: ({ context }: Recording): Facts => ({
    lock: 'gone', lease: context.lock === 'known' && context.input.leaseEnds ? 'expired' : 'unconfirmed',
  }),
} as const;

type Assigning = ReturnType<typeof assign<AttemptContext, AttemptEvent, undefined, AttemptEvent, never>>;

/** The records as XState wants them. */
export const recording = Object.fromEntries(
  Object.entries(records).map(([name, record]) =>
    [name, assign<AttemptContext, AttemptEvent, undefined, AttemptEvent, never>(record)]),
) as { readonly [Name in keyof typeof records]: Assigning };

const outcomeOf = (context: AttemptContext): Outcome => {
  if (context.abort) return 'aborted';
  if (context.failure) return 'notStarted';
  return context.work === 'returned' ? 'completed' : 'failed';
};

/** The pure outcome of the attempt, read off the final context. */
export const outputOf = ({ context }: { context: AttemptContext }): AttemptOutput => ({
  outcome: outcomeOf(context),
  abortedBy: context.abort?.by ?? null,
  timeoutKind: context.abort?.kind ?? null,
  reason: context.abort?.reason,
  lateAborts: context.lateAborts,
  lease: context.lease ?? 'neverHeld',
  token: context.token,
  settled: context.work === 'none' ? null : context.work !== 'pending',
  abandoned: context.abandoned,
  value: context.value,
  workError: context.workError,
  failure: context.abort ? null : context.failure,
  cleanupError: context.cleanupError,
  releaseError: context.releaseError,
});
