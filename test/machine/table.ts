/**
 * The transition table, written by hand from SPEC section 3, not from the machine: state x event -> what happens.
 * Owns: the expectation. Must not know: how the machine is written.
 *
 * A cell is `target | commands in order`. `-`: nothing happens. `late`: only recorded as a late abort. `fact`: only
 * something else is recorded. Where a guard decides, the cell has a row for each case; the cases are in `cases.ts`.
 */
import type { AttemptEvent } from '../../machines/attempt.types.js';
import type { Case } from './cases.js';

export type EventType = AttemptEvent['type'];
export type Cell = string | Partial<Record<Case, string>>;
export interface Row {
  /** What is true on arrival: the timers that run. */
  readonly timers: readonly string[];
  readonly on: Record<EventType, Cell>;
  readonly after: Record<string, Cell>;
}

const late = {
  'abort.user': 'late', 'abort.timeout': 'late', 'abort.shutdown': 'late', 'abort.superseded': 'late',
} as const;
const noAnswers = {
  'lock.granted': '-', 'lock.busy': '-', 'lock.unknown': '-', 'session.opened': '-', 'session.failed': '-',
  'cleanup.ended': '-', 'cleanup.failed': '-',
  'release.confirmed': '-', 'release.notHeld': '-', 'release.unknown': '-',
} as const;
const noWork = {
  'work.returned': '-', 'work.threw': '-', 'work.progressed': '-', 'work.idled': '-', 'work.overran': '-',
  'grace.ended': '-', 'section.entered': '-', 'section.left': '-', 'lock.yield': '-', 'window.ended': '-',
} as const;
const nothing = { start: '-', ...noAnswers, ...noWork, 'lease.lost': '-' } as const;

/** Settled work, or work nobody waits for any longer: cleanup if there is one, else give back. */
const leaving = (commands: string): Cell => ({
  'cleanup': `cleaning | ${commands} runCleanup`, 'no cleanup': `releasing.asking | ${commands} askRelease`,
});
const abortedRunning = (extra = ''): Cell => ({
  'settleMs > 0': `aborting.CAUSE | closeWriter${extra} tellWork`,
  'settleMs 0, cleanup': `cleaning | closeWriter${extra} tellWork runCleanup`,
  'settleMs 0, no cleanup': `releasing.asking | closeWriter${extra} tellWork askRelease`,
  'settleMs 0, hold': `aborting.CAUSE | closeWriter${extra} tellWork`,
});

/** In a window there is no lock to clean up under, nor one to hold for work that does not settle. */
const cutShort = (commands: string, end: string): Cell => ({
  'settleMs > 0': `aborting.CAUSE | ${commands}`, 'settleMs 0, cleanup': `${end} ${commands}${askFor(end)}`,
  'settleMs 0, no cleanup': `${end} ${commands}${askFor(end)}`, 'settleMs 0, hold': `${end} ${commands}${askFor(end)}`,
});
const GIVE_BACK = 'releasing.asking |';
const askFor = (end: string): string => (end === GIVE_BACK ? ' askRelease' : '');

/** The budgets go on in a window, and sections are what they are elsewhere. */
const budgets = (commands: string): Partial<Row['on']> => ({
  'work.progressed': '-',
  'work.idled': { 'run budget': `aborting.timeout | ${commands}callOnTimeout tellWork`, 'no run budget': '-',
    'in a section': 'fact', 'in a section without grace': `aborting.timeout | ${commands}callOnTimeout tellWork`,
    'put off': '-' },
  'work.overran': { 'run budget': `aborting.timeout | ${commands}callOnTimeout tellWork`, 'no run budget': '-',
    'in a section': 'fact', 'in a section without grace': `aborting.timeout | ${commands}callOnTimeout tellWork`,
    'put off': '-' },
  'grace.ended': { 'put off': `aborting.timeout | ${commands}callOnTimeout tellWork` },
  'section.entered': 'fact',
  'section.left': { 'usual': '-', 'in a section': 'fact',
    'put off': `aborting.timeout | ${commands}callOnTimeout tellWork`, 'put off, two sections': 'fact' },
});
/** A window: which commands leaving it names, and what is then left to do about the lock. */
const inWindow = (commands: string, end: string, loss = end): Row['on'] => ({
  ...nothing, ...budgets(commands),
  'abort.user': cutShort(`${commands}tellWork`, end), 'abort.shutdown': cutShort(`${commands}tellWork`, end),
  'abort.superseded': cutShort(`${commands}tellWork`, end),
  'abort.timeout': cutShort(`${commands}callOnTimeout tellWork`, end),
  'lease.lost': cutShort(`${commands}tellWork`, loss),
  'work.returned': `${end} ${commands}${askFor(end).trim()}`, 'work.threw': `${end} ${commands}${askFor(end).trim()}`,
});
const windowLost = (commands: string, end: string): Cell => ({
  'settleMs > 0': `aborting.leaseLost | ${commands} tellWork`,
  'settleMs 0, cleanup': `${end} ${commands} tellWork${askFor(end)}`, 'another number': '-',
});
const yielding: Row['on'] = {
  ...inWindow('', GIVE_BACK, 'released |'),
  'release.confirmed': { 'last ask': 'running.yielded | runWindow', 'another number': '-',
    'earlier window ask': 'running.yielded | runWindow' },
  'release.notHeld': { 'last ask': 'aborting.leaseLost | tellWork', 'another number': '-',
    'earlier window ask': 'running.yielded | runWindow' },
};

const aborting: Row = {
  timers: ['settleMs'],
  on: {
    ...nothing, ...late,
    'lock.granted': { 'usual': '-', 'window, asked': 'STATE | askRelease', 'window, asked, another number': '-' },
    'lock.busy': { 'usual': '-', 'window, asked': 'fact', 'window, asked, another number': '-' },
    'release.confirmed': { 'usual': '-', 'window, released late': 'fact' },
    'release.notHeld': { 'usual': '-', 'window, released late': 'fact' },
    'lease.lost': { 'fence': 'late', 'hold': 'late', 'hold, unsettled': 'released' },
    'work.returned': { ...(leaving('') as object), 'hold': 'releasing.asking | askRelease',
      'hold, unsettled': 'releasing.asking | askRelease', 'lost': 'released', 'lost, hold': 'released' },
    'work.threw': { ...(leaving('') as object), 'hold': 'releasing.asking | askRelease', 'lost': 'released' },
  },
  after: { settleMs: { ...(leaving('') as object), 'hold': 'fact', 'lost': 'released', 'lost, hold': 'released' } },
};
const abortingLost: Row = {
  timers: ['settleMs'],
  on: {
    ...nothing, ...late, 'lease.lost': 'late',
    'work.returned': { 'usual': 'released', 'window, asked': 'releasing.asking | askRelease' },
    'work.threw': { 'usual': 'released', 'window, asked': 'releasing.asking | askRelease' },
    'lock.granted': { 'usual': '-', 'window, asked': 'STATE | askRelease' },
    'lock.busy': { 'usual': '-', 'window, asked': 'fact' },
  },
  after: { settleMs: { 'fence': 'released', 'hold': 'released', 'cleanup': 'released' } },
};

const releasing = {
  ...nothing, ...late,
  'lease.lost': { 'grant known': 'released', 'grant unknown': '-' },
  'lock.granted': { 'grant known': '-', 'grant unknown': 'releasing.asking | askRelease', 'another number': '-' },
  'release.confirmed': {
    'last ask': 'released', 'earlier ask': 'released', 'another number': '-', 'ask before the grant': '-',
  },
  'release.notHeld': {
    'last ask': 'released', 'earlier ask': 'released', 'another number': '-', 'ask before the grant': '-',
  },
} as const;

const idleToReleased: Row['on'] = {
  ...nothing,
  'start': 'acquiring.waiting | requestLock',
  'abort.user': 'released', 'abort.shutdown': 'released', 'abort.superseded': 'released',
  'abort.timeout': 'released | callOnTimeout',
};

export const table: Record<string, Row> = {
  'idle': { timers: [], on: idleToReleased, after: {} },

  'acquiring.waiting': {
    timers: ['answerMs', 'waitMs'],
    on: {
      ...nothing,
      'abort.user': 'acquiring.cancelling | cancelRequest',
      'abort.timeout': 'acquiring.cancelling | callOnTimeout cancelRequest',
      'abort.shutdown': 'acquiring.cancelling | cancelRequest',
      'abort.superseded': 'acquiring.cancelling | cancelRequest',
      'lock.granted': { 'its number': 'locked | openSession', 'another number': '-' },
      'lock.busy': { 'its number': 'released', 'another number': '-' },
      'lock.unknown': { 'its number': 'releasing.asking | askRelease', 'another number': '-' },
    },
    after: {
      waitMs: { 'waitMs finite': 'acquiring.cancelling | cancelRequest', 'waitMs 0': '-', 'waitMs Infinity': '-' },
      answerMs: { 'waitMs finite': '-', 'waitMs 0': 'acquiring.cancelling | cancelRequest', 'waitMs Infinity': '-' },
    },
  },

  'acquiring.cancelling': {
    timers: ['answerMs'],
    on: {
      ...nothing, ...late,
      'lock.granted': { 'its number': 'releasing.asking | askRelease', 'another number': '-',
        'patience over': 'releasing.asking | askRelease' },
      'lock.busy': { 'its number': 'released', 'another number': '-' },
      'lock.unknown': { 'its number': 'releasing.asking | askRelease', 'another number': '-' },
    },
    after: { answerMs: 'releasing.asking | askRelease' },
  },

  'locked': {
    timers: ['openMs'],
    on: {
      ...nothing,
      'abort.user': 'releasing.asking | endOpening tellWork askRelease',
      'abort.timeout': 'releasing.asking | endOpening callOnTimeout tellWork askRelease',
      'abort.shutdown': 'releasing.asking | endOpening tellWork askRelease',
      'abort.superseded': 'releasing.asking | endOpening tellWork askRelease',
      'lease.lost': 'released | endOpening tellWork',
      'session.opened': { 'its number': 'running.working | endOpening startWork', 'another number': '-' },
      'session.failed': { 'its number': 'releasing.asking | endOpening askRelease', 'another number': '-' },
    },
    after: { openMs: 'releasing.asking | endOpening askRelease' },
  },

  'running.working': {
    timers: ['idle', 'run'],
    on: {
      ...nothing, ...budgets('closeWriter '),
      'lock.yield': 'running.yielding.asking | closeWriter askRelease',
      'abort.user': abortedRunning(), 'abort.timeout': abortedRunning(' callOnTimeout'),
      'abort.shutdown': abortedRunning(), 'abort.superseded': abortedRunning(),
      'lease.lost': { 'settleMs > 0': 'aborting.leaseLost | closeWriter tellWork',
        'settleMs 0, cleanup': 'released | closeWriter tellWork',
        'settleMs 0, hold': 'released | closeWriter tellWork' },
      'work.returned': leaving('closeWriter'), 'work.threw': leaving('closeWriter'),
    },
    after: {},
  },
  'running.yielding.asking': {
    timers: ['askMs', 'idle', 'leaseMs', 'run'],
    on: { ...yielding, 'release.unknown': { 'last ask': 'running.yielding.pausing', 'another number': '-' } },
    after: { askMs: 'running.yielding.pausing', leaseMs: 'running.yielded | runWindow' },
  },
  'running.yielding.pausing': {
    timers: ['idle', 'leaseMs', 'retryMs', 'run'],
    on: { ...yielding, 'release.unknown': '-' },
    after: { retryMs: 'running.yielding.asking | askRelease', leaseMs: 'running.yielded | runWindow' },
  },
  'running.yielded': {
    timers: ['idle', 'run'],
    on: { ...inWindow('', 'released |'), 'window.ended': 'running.reacquiring.waiting | requestLock' },
    after: {},
  },
  'running.reacquiring.waiting': {
    timers: ['answerMs', 'idle', 'run', 'waitMs'],
    on: {
      ...inWindow('cancelRequest ', GIVE_BACK),
      'lock.granted': { 'its number': 'running.reacquiring.opening | openSession', 'another number': '-' },
      'lock.busy': windowLost('cancelRequest', 'released |'),
      'lock.unknown': windowLost('cancelRequest', GIVE_BACK),
    },
    after: {
      waitMs: { 'waitMs finite': 'aborting.leaseLost | cancelRequest tellWork', 'waitMs 0': '-', 'waitMs Infinity': '-' },
      answerMs: { 'waitMs finite': '-', 'waitMs 0': 'aborting.leaseLost | cancelRequest tellWork', 'waitMs Infinity': '-' },
    },
  },
  'running.reacquiring.opening': {
    timers: ['idle', 'openMs', 'run'],
    on: {
      ...inWindow('endOpening cancelRequest ', GIVE_BACK, 'released |'),
      'session.opened': { 'its number': 'running.working | endOpening cancelRequest resumeWork', 'another number': '-' },
      'session.failed': windowLost('endOpening cancelRequest', GIVE_BACK),
    },
    after: { openMs: { 'settleMs > 0': 'aborting.leaseLost | endOpening cancelRequest tellWork',
      'settleMs 0, cleanup': 'releasing.asking | endOpening cancelRequest tellWork askRelease' } },
  },

  'aborting.user': aborting, 'aborting.timeout': aborting, 'aborting.shutdown': aborting,
  'aborting.superseded': aborting, 'aborting.leaseLost': abortingLost,

  'cleaning': {
    timers: ['cleanupMs'],
    on: {
      ...nothing, ...late,
      'lease.lost': 'released | endCleanup',
      'cleanup.ended': { 'its number': 'releasing.asking | endCleanup askRelease', 'another number': '-' },
      'cleanup.failed': { 'its number': 'releasing.asking | endCleanup askRelease', 'another number': '-' },
    },
    after: { cleanupMs: 'releasing.asking | endCleanup askRelease' },
  },

  'releasing.asking': {
    timers: ['askMs', 'leaseMs'],
    on: { ...releasing,
      'release.unknown': { 'last ask': 'releasing.pausing', 'earlier ask': '-', 'another number': '-' } },
    after: { askMs: 'releasing.pausing', leaseMs: 'released' },
  },
  'releasing.pausing': {
    timers: ['leaseMs', 'retryMs'],
    on: { ...releasing, 'release.unknown': '-' },
    after: { retryMs: 'releasing.asking | askRelease', leaseMs: 'released' },
  },

  // An actor has stopped here and hears nothing. A pure transition still notes late aborts, but the output is made.
  'released': { timers: [], on: { ...nothing, ...late }, after: {} },
};
