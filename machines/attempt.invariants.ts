/**
 * What must always be true, in one place: id, sentence, and where it is decidable over a modelled world the check.
 * Owns: the promises of SPEC section 6. Must not know: who walks the world, or how commands are performed.
 * An invariant only real stores, processes or clocks can decide has no check here and says where it is tested.
 */
import type { Command, Happening, History, Snapshot, World } from './attempt.history.js';
import type { AttemptContext, Outcome } from './attempt.types.js';

export type { Command, Happening, History, Snapshot, World } from './attempt.history.js';

/** Where an invariant is decided: by the machine's own walk, or by tests of what performs it. */
export type Scope = 'machine' | 'driver' | 'store' | 'session' | 'process';

export interface Invariant {
  readonly id: string;
  readonly statement: string;
  readonly scope: Scope;
  /**
   * null, or what was violated. `step` checks need no world and hold for each step of the machine alone; `world`
   * checks hold in each world, and of the history look at no step, only at `granted`.
   */
  readonly check?: (snapshot: Snapshot, history: History, world: World) => string | null;
  readonly decidedBy?: 'step' | 'world';
}

/** The state as a dotted path: `aborting.user`. */
export const pathOf = (value: unknown): string =>
  typeof value === 'string' ? value : Object.entries(value as object).map(([k, v]) => `${k}.${pathOf(v)}`).join();

/** Asked many times for each step of a walk, so it makes no strings. */
const isIn = ({ value }: Snapshot, state: string): boolean =>
  typeof value === 'string' ? value === state : state in value;

/** There is a grant that the machine knows of. */
const isGranted = ({ context: { lock } }: Snapshot): boolean => lock === 'held' || lock === 'known';

/** What the outcome will be, once nothing may change it any more; null while it is open. */
export const decidedOutcome = ({ abort, failure, work }: AttemptContext): Outcome | null => {
  if (abort) return 'aborted';
  if (failure) return 'notStarted';
  return work === 'returned' ? 'completed' : work === 'threw' ? 'failed' : null;
};

/** A way of ending that only the cause differs in must look the same here: this is what S18 compares. */
export const withoutCause = ({ value, context }: Snapshot): unknown => ({
  state: pathOf(value).replace(/^aborting\..*/, 'aborting'),
  ...context, abort: context.abort !== null, lateAborts: null, abandoned: null,
});

const said = (condition: boolean, what: string): string | null => (condition ? what : null);
const first = (...findings: (string | null)[]): string | null => findings.find((finding) => finding !== null) ?? null;

/** What becomes an abort by timeout: a budget that is over, at once or after the grace of a section. */
const TIMEOUTS = ['work.idled', 'work.overran', 'grace.ended', 'section.left'];

/** Which abort an event is. What keeps a window from ending with the lock in hand is a loss. */
const abortIn = (before: Snapshot, { type }: Happening): string | null => {
  if (type.startsWith('abort.')) return type.slice('abort.'.length);
  if (TIMEOUTS.includes(type)) return 'timeout';
  const inWindow = /^running\.(yielding|reacquiring)/.test(pathOf(before.value));
  return type === 'lease.lost' || inWindow ? 'leaseLost' : null;
};

const checkS8 = (now: Snapshot, { before, commands: named }: History): string | null => {
  const was = decidedOutcome(before.context);
  return first(
    said(was !== null && decidedOutcome(now.context) !== was, `the outcome was ${was} and changed`),
    said(before.status === 'done' && (now.status !== 'done' || named.length > 0), 'something happened after the end'),
    said(before.status === 'done' && now.output !== before.output, 'the report changed after the end'),
  );
};

const checkS9 = (now: Snapshot, { before, event, commands: named, timeoutCalls }: History): string | null => {
  const [was, is] = [before.context.abort, now.context.abort];
  const sub = isIn(now, 'aborting') ? pathOf(now.value).split('.')[1] : null;
  const isTimeout = was === null && is?.by === 'timeout';
  return first(
    said(event.type.startsWith('abort.') && before.status === 'active' && is === null
      && decidedOutcome(before.context) === null, `${event.type} changed nothing`),
    said(was !== null && (is?.by !== was.by || is.kind !== was.kind || is.reason !== was.reason),
      `the first abort was ${was?.by} and became ${is?.by ?? 'none'}`),
    said(was === null && is !== null && is.by !== abortIn(before, event), `${event.type} was recorded as ${is?.by}`),
    said(sub !== null && sub !== is?.by, `in aborting.${sub}, aborted by ${is?.by ?? 'nobody'}`),
    said(now.context.abandoned && is?.by !== 'timeout', 'marked abandoned, and no timeout'),
    said(isTimeout && now.context.abandoned !== (before.context.work === 'pending'), 'the abandoned mark is wrong'),
    said(isTimeout !== named.includes('callOnTimeout') || timeoutCalls > 1, 'onTimeout and timeout do not match'),
  );
};

const checkS10 = (now: Snapshot, { event, commands: named, starts, granted, lost }: History): string | null => first(
  said(starts > 1, 'the work was started again'),
  said(named.includes('startWork') && !granted, 'the work was started without a grant'),
  said(named.includes('startWork') && lost, 'the work was started under a lost lease'),
  said(named.includes('startWork') && now.context.abort !== null, 'aborted work was started'),
  said(named.includes('resumeWork') && (!granted || lost), 'the work went on without a lease'),
  // What says that the session is open says that the lease is not in doubt.
  said((named.includes('startWork') || named.includes('resumeWork')) && event.type !== 'session.opened',
    'the work was let in before the session was open'),
);

/** Commands that put a grant to the work's use. */
const USES: readonly Command[] = ['openSession', 'startWork', 'resumeWork'];

const checkS11 = (_now: Snapshot, { before, event, commands: named, granted }: History): string | null => {
  const wasOver = decidedOutcome(before.context) !== null;
  const isGrant = event.type === 'lock.granted' && before.context.lock === 'asked' && before.status === 'active'
    && event.seq === before.context.request;
  return first(
    said(wasOver && named.includes('requestLock'), 'the lock was asked for after teardown began'),
    said(['asked', 'held', 'known'].includes(before.context.lock) && named.includes('requestLock'),
      'the lock was asked for while a grant may be there'),
    said(isGrant && wasOver && !named.includes('askRelease'), 'a late grant was not given back at once'),
    said(wasOver && granted && USES.some((name) => named.includes(name)), 'a late grant was used'),
  );
};

const checkS12 = (now: Snapshot, { before, event, commands: named, lost, cleanupOpen }: History): string | null => {
  const isNews = event.type === 'lease.lost' && isGranted(before);
  const held = isNews && (isIn(before, 'locked') || isIn(before, 'running'));
  return first(
    said(isNews && now.context.lock !== 'gone', 'a loss was not believed'),
    said(held && (!named.includes('tellWork') || now.context.abort === null), 'a loss did not abort'),
    said(lost && (isIn(now, 'locked') || isIn(now, 'running')), 'went on under a lost lease'),
    said(lost && (cleanupOpen || named.includes('runCleanup')), 'cleaned under a lost lease'),
    said(lost && named.includes('askRelease'), 'a lost lease was released'),
  );
};

/** Commands that need a lease somebody renews. */
const NEEDS_RENEWAL: readonly Command[] = ['openSession', 'startWork', 'resumeWork', 'runCleanup'];

const checkS13 = (now: Snapshot, { commands: named, releaseBegun }: History): string | null => first(
  said(releaseBegun && named.some((name) => NEEDS_RENEWAL.includes(name)), 'the lease was used after release began'),
  said(releaseBegun && now.context.lock === 'held', `held in ${pathOf(now.value)} after release began`),
);

const checkS14 = (now: Snapshot, { before, event }: History): string | null => {
  const [was, is] = [before.context.lease, now.context.lease];
  const isYes = event.type === 'lock.granted';
  const isNo = event.type === 'lock.busy' || event.type === 'release.notHeld';
  return first(
    said(isGranted(now) && !isGranted(before) && !isYes, `${event.type} taken for a grant`),
    said(is === 'released' && was !== is && event.type !== 'release.confirmed', `${event.type} taken for a release`),
    said(is === 'neverHeld' && was !== is && !isNo, `${event.type} taken for a definite no`),
    said(now.status === 'done' && is === null && now.context.request > 0, 'ended without an answer about the lock'),
  );
};

/**
 * A grant that was never known and whose every ask went unanswered may outlive us by its own lease: nobody renews
 * it, the report says `unconfirmed`, and if its answer arrives after all the driver gives it back.
 */
const checkS6 = (now: Snapshot, { granted }: History, world: World): string | null => {
  if (now.status !== 'done') return null;
  const { lease } = now.context;
  const isOwnUp = lease === 'unconfirmed' && !granted; // of an earlier grant there may be a token
  return first(
    said(world.grant === 'live' && !isOwnUp, `ended with a live grant, lease said to be ${lease ?? 'neverHeld'}`),
    said(world.requestOpen && !isOwnUp, 'ended while a grant may still come'),
  );
};

/** Of the last grant that was known: what a later request came to, when its grant never was, is another matter. */
const checkR1 = ({ context: { lock, lease } }: Snapshot, { granted }: History, { grant }: World): string | null => {
  const word = granted && lock === 'gone' ? lease : null;
  return first(
    said(word === 'lost' && grant === 'givenBack', 'our own release was reported as a loss'),
    said(word === 'released' && grant !== 'givenBack', 'reported as released, and it was not us'),
  );
};

/** What runs in a window may be somebody who waits for the lock. */
const checkL8 = (now: Snapshot, _history: History, { grant }: World): string | null =>
  said(grant === 'live' && pathOf(now.value) === 'running.yielded', 'a window is open and the lock is not given up');

const safety: readonly Invariant[] = [
  { id: 'S1', scope: 'store', statement: 'Two grants of a session never carry the same token.' },
  { id: 'S2', scope: 'store',
    statement: 'Under A1, A2, A5 the intervals [grant, deadline) of two holders do not overlap.' },
  { id: 'S3', scope: 'store',
    statement: 'A grant that ends before another begins has the smaller token, across crashes and restarts.' },
  { id: 'S4', scope: 'session',
    statement: 'Once a record with token t is accepted, no reader accepts a record with a smaller one after it.' },
  { id: 'S5', scope: 'machine', decidedBy: 'step',
    statement: 'Leaving `running`, or giving the lock up in it, closes the writer in the same tick, even if the work never settles.',
    check: (now, { writerOpen }) =>
      said(writerOpen && pathOf(now.value) !== 'running.working', `the writer is open in ${pathOf(now.value)}`) },
  { id: 'S6', scope: 'machine', decidedBy: 'world', check: checkS6,
    statement: 'In a final state the attempt has no live grant: not on disk, not in the store, not in any register or flag.' },
  { id: 'S7', scope: 'store',
    statement: 'Nothing an attempt does removes, renews or shortens a grant with another token; exit hooks included.' },
  { id: 'S8', scope: 'machine', decidedBy: 'step', check: checkS8,
    statement: 'An attempt has exactly one outcome; whatever comes later changes nothing.' },
  { id: 'S9', scope: 'machine', decidedBy: 'step', check: checkS9,
    statement: 'The first abort is never overwritten; user and timeout are told apart to the end.' },
  { id: 'S10', scope: 'machine', decidedBy: 'step', check: checkS10,
    statement: 'Work starts at most once, and only with a lease not known to be lost and before its deadline.' },
  { id: 'S11', scope: 'machine', decidedBy: 'step', check: checkS11,
    statement: 'A late grant is given back at once and its work never starts; nothing is acquired after teardown began.' },
  { id: 'S12', scope: 'machine', decidedBy: 'step', check: checkS12,
    statement: 'Learning of a lost lease aborts the work and closes the writer in the same transition.' },
  { id: 'S13', scope: 'machine', decidedBy: 'step', check: checkS13,
    statement: 'Once release begins no renewal is started; one in flight is joined, at most `answerMs`.' },
  { id: 'S14', scope: 'machine', decidedBy: 'step', check: checkS14,
    statement: 'An unknown answer is never treated as success.' },
  { id: 'S15', scope: 'session',
    statement: 'A crash leaves whole records and at most one torn line per dead or fenced writer; no acknowledged record is lost.' },
  { id: 'S16', scope: 'store',
    statement: 'A step of the wall clock changes no outcome except who may take over a file lease, and S4 still holds.' },
  { id: 'S17', scope: 'session', statement: 'What readers leave out is counted and reported.' },
  { id: 'S18', scope: 'machine', // Compares two steps, so the walk does it, by `withoutCause`.
    statement: 'Whether and how the lock is given back does not depend on who aborted; what is recorded about it does.' },
  { id: 'S19', scope: 'driver', statement: '`done` settles after the lock is given back, never before.' },
];

const liveness: readonly Invariant[] = [
  { id: 'L1', scope: 'driver',
    statement: 'Start to end takes at most the sum of the budgets, and d per step.' },
  { id: 'L2', scope: 'driver',
    statement: 'First abort while running to entering `releasing` takes at most settleMs + cleanupMs + d ("fence").' },
  { id: 'L3', scope: 'process',
    statement: 'A crashed holder\'s session is granted again within leaseMs + poll.' },
  { id: 'L4', scope: 'store',
    statement: 'Waiters in one process are served in order of asking; across processes none starves.' },
  { id: 'L5', scope: 'process',
    statement: 'At rest nothing of ours is left: no timer, listener, descriptor or file.' },
  { id: 'L6', scope: 'process',
    statement: 'A signal in any state leaves the lock released, or ending within its lease.' },
  { id: 'L7', scope: 'machine', // A property of paths, so the walk decides it.
    statement: 'From every state after an abort or an outcome timers alone lead to the end (except holding a held lease).' },
  { id: 'L8', scope: 'machine', decidedBy: 'world', check: checkL8,
    statement: 'An attempt never waits for something that only its own unwinding can produce.' },
];

/** Not numbered in SPEC section 6: that the report's words (section 4), and what the cleanup is told, are true. */
const report: readonly Invariant[] = [
  { id: 'R1', scope: 'machine', decidedBy: 'world', check: checkR1,
    statement: 'The lease is called `released` only if our release ended it, and `lost` only if that did not.' },
  { id: 'R2', scope: 'machine', decidedBy: 'step',
    statement: 'The cleanup is called only under a lease that is held, with the session open.',
    check: (now, { commands: named, sessionOpen }) =>
      said(named.includes('runCleanup') && (now.context.lock !== 'held' || !sessionOpen), 'the cleanup cannot write') },
];

export const invariants: readonly Invariant[] = [...safety, ...liveness, ...report];
