/**
 * How to arrive in each state of the table, and in which of the cases its cells tell apart.
 * A case changes the input, the way there, or the number an answer carries. Must not know: what is expected.
 */
import type { AttemptEvent, AttemptInput, Budgets } from '../../machines/attempt.types.js';

export const BUDGETS: Budgets = {
  waitMs: 1_000, answerMs: 40, openMs: 50, timeoutMs: 2_000, idleTimeoutMs: 500, settleMs: 60, cleanupMs: 70,
  leaseMs: 400,
};

export interface Setting {
  readonly input?: Partial<Omit<AttemptInput, 'budgets'>>;
  readonly budgets?: Partial<Budgets>;
  /** What happens after the usual way into the state, before the event. Must not leave it. */
  readonly next?: readonly Happened[];
  /** Instead of the usual way to running work. */
  readonly running?: readonly Happened[];
  /** Instead of the usual way. */
  readonly way?: readonly Happened[];
  /** The number the answer carries; that of the command it answers unless said otherwise. */
  readonly seq?: number;
}
/** An event, or the name of a timer that fires. */
export type Happened = AttemptEvent | { readonly timer: string };

const timer = (name: string): Happened => ({ timer: name });
const start: Happened = { type: 'start' };
const granted: Happened = { type: 'lock.granted', seq: 1, token: 7 };
const opened: Happened = { type: 'session.opened', seq: 2 };
const returned: Happened = { type: 'work.returned', value: 'reply' };
const lost: Happened = { type: 'lease.lost', reason: 'taken over' };
const toRunning = [start, granted, opened];
const aborted = (by: 'user' | 'shutdown' | 'superseded'): Happened[] =>
  [...toRunning, { type: `abort.${by}`, reason: by }];
const yielding: Happened[] = [...toRunning, { type: 'lock.yield' }];
const yielded: Happened[] = [...yielding, { type: 'release.confirmed', seq: 3 }];
const asking: Happened[] = [...yielded, { type: 'window.ended' }];
const entered = (graceMs: number): Happened => ({ type: 'section.entered', graceMs, pausesBudgets: false, ranMs: 0 });
const cancelled: Happened[] = [start, { type: 'abort.user', reason: 'user' }];

export const ways: Record<string, readonly Happened[]> = {
  'idle': [],
  'acquiring.waiting': [start],
  'acquiring.cancelling': cancelled,
  'locked': [start, granted],
  'running.working': toRunning,
  'running.yielding.asking': yielding,
  'running.yielding.pausing': [...yielding, timer('askMs')],
  'running.yielded': yielded,
  'running.reacquiring.waiting': asking,
  'running.reacquiring.opening': [...asking, { type: 'lock.granted', seq: 4, token: 8 }],
  'aborting.user': aborted('user'),
  'aborting.timeout': [...toRunning, timer('run')],
  'aborting.shutdown': aborted('shutdown'),
  'aborting.superseded': aborted('superseded'),
  'aborting.leaseLost': [...toRunning, lost],
  'cleaning': [...toRunning, returned],
  'releasing.asking': [start, granted, { type: 'session.failed', seq: 2 }],
  'releasing.pausing': [start, granted, { type: 'session.failed', seq: 2 }, timer('askMs')],
  'released': [start, { type: 'lock.busy', seq: 1 }],
};

const unknownAsk = [timer('askMs'), timer('retryMs')];
const lateGrant: Happened[] = [...cancelled, timer('answerMs')];

export const cases = {
  'usual': {},
  'its number': {},
  'another number': { seq: 99 },
  'fence': {},
  'hold': { input: { onUnsettled: 'hold', hasCleanup: false } },
  'hold, unsettled': { input: { onUnsettled: 'hold', hasCleanup: false }, next: [timer('settleMs')] },
  'lost': { next: [lost] },
  'lost, hold': { input: { onUnsettled: 'hold' }, next: [lost] },
  'cleanup': {},
  'no cleanup': { input: { hasCleanup: false } },
  'settleMs > 0': {},
  'settleMs 0, cleanup': { budgets: { settleMs: 0 } },
  'settleMs 0, no cleanup': { budgets: { settleMs: 0 }, input: { hasCleanup: false } },
  'settleMs 0, hold': { budgets: { settleMs: 0 }, input: { onUnsettled: 'hold' } },
  'waitMs finite': {},
  'waitMs 0': { budgets: { waitMs: 0 } },
  'waitMs Infinity': { budgets: { waitMs: Infinity } },
  'patience over': { way: [start, timer('waitMs')] },
  'run budget': {},
  'no run budget': { budgets: { timeoutMs: Infinity, idleTimeoutMs: Infinity } },
  'in a section': { next: [entered(30)] },
  'in a section without grace': { next: [entered(0)] },
  'put off': { next: [entered(30), timer('run')] },
  'put off, two sections': { next: [entered(30), entered(30), timer('run')] },
  'grant known': {},
  'grant unknown': { way: lateGrant, seq: 1 },
  'last ask': {},
  'earlier ask': { next: unknownAsk, seq: 3 },
  'earlier window ask': { next: [timer('askMs'), timer('retryMs')], seq: 3 },
  'window, asked': { running: asking, seq: 4 },
  'window, asked, another number': { running: asking, seq: 99 },
  'window, released late': { running: yielding, seq: 3 },
  'ask before the grant': { way: [...lateGrant, { type: 'lock.granted', seq: 1, token: 7 }], seq: 2 },
} as const satisfies Record<string, Setting>;
export type Case = keyof typeof cases;

export const inputOf = (setting: Setting): AttemptInput => ({
  hasCleanup: true, onUnsettled: 'fence', leaseEnds: true, ...setting.input,
  budgets: { ...BUDGETS, ...setting.budgets },
});

/** The way into a state in a case. Where a case tells of asks for release, `pausing` comes after the last of them. */
export const wayTo = (state: string, setting: Setting): readonly Happened[] => {
  const isAboutAsks = state.endsWith('.pausing') && (setting.way ?? setting.next);
  const way = ways[isAboutAsks ? state.replace('pausing', 'asking') : state]!;
  const usual = setting.running ? [...setting.running, ...way.slice(toRunning.length)] : way;
  return [...(setting.way ?? usual), ...(setting.next ?? []), ...(isAboutAsks ? [timer('askMs')] : [])];
};

/** Every kind of event, as the driver would send it. The compiler insists that none is missing. */
const samples: { [T in AttemptEvent['type']]: Extract<AttemptEvent, { type: T }> } = {
  'start': { type: 'start' },
  'abort.user': { type: 'abort.user', reason: 'stop' },
  'abort.timeout': { type: 'abort.timeout', kind: 'external', reason: 'deadline' },
  'abort.shutdown': { type: 'abort.shutdown', reason: 'bye' },
  'abort.superseded': { type: 'abort.superseded', reason: 'newer' },
  'lock.granted': { type: 'lock.granted', seq: 0, token: 7 },
  'lock.busy': { type: 'lock.busy', seq: 0, holder: 'another' },
  'lock.unknown': { type: 'lock.unknown', seq: 0, error: 'no answer' },
  'lease.lost': { type: 'lease.lost', reason: 'taken over' },
  'session.opened': { type: 'session.opened', seq: 0 },
  'session.failed': { type: 'session.failed', seq: 0, error: 'ENOENT' },
  'work.returned': { type: 'work.returned', value: 'reply' },
  'work.threw': { type: 'work.threw', error: 'oops' },
  'work.progressed': { type: 'work.progressed' },
  'work.idled': { type: 'work.idled' },
  'work.overran': { type: 'work.overran' },
  'grace.ended': { type: 'grace.ended' },
  'section.entered': { type: 'section.entered', graceMs: 30, pausesBudgets: false, ranMs: 5 },
  'section.left': { type: 'section.left', graceMs: 30, pausesBudgets: false, ranMs: 9 },
  'lock.yield': { type: 'lock.yield' },
  'window.ended': { type: 'window.ended' },
  'cleanup.ended': { type: 'cleanup.ended', seq: 0 },
  'cleanup.failed': { type: 'cleanup.failed', seq: 0, error: 'oops' },
  'release.confirmed': { type: 'release.confirmed', seq: 0 },
  'release.notHeld': { type: 'release.notHeld', seq: 0 },
  'release.unknown': { type: 'release.unknown', seq: 0, error: 'EIO' },
};
export const eventTypes = Object.keys(samples) as AttemptEvent['type'][];

/** The event, with this number where it is an answer. */
export const sampleOf = (type: AttemptEvent['type'], seq: number): AttemptEvent =>
  'seq' in samples[type] ? { ...samples[type], seq } as AttemptEvent : samples[type];
