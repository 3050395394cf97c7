/**
 * A driver in miniature: what it must remember to keep its promises, and nothing else. Pure.
 * Owns: the driver's duties of SPEC section 3, apart from the machine, so that a faulty machine cannot bend them.
 * Must not know: what the store really did (see store.ts), or in what order anything arrives (see moves.ts).
 */
import type { AttemptEvent } from '../../../machines/attempt.types.js';
import type { Command, Happening } from '../../../machines/attempt.invariants.js';

/** Sequence numbers are those the machine's context had when it named the command; 0 is "never". */
export interface Driver {
  readonly started: boolean;
  readonly requests: number;
  readonly requestSeq: number;
  /** Of the last request, as all that follows down to `straySeq`. */
  readonly cancelled: boolean;
  /** The grant was delivered: from here lease facts may follow, never before. */
  readonly granted: boolean;
  readonly lost: boolean;
  /** Its release was answered for sure, or counts as over: what its lease still says is no loss of ours. */
  readonly gone: boolean;
  /** Asks for release of one kind, at most 2 counted: a third differs from a second in nothing but its number. */
  readonly asks: number;
  readonly askSeq: number;
  readonly askedByOwner: boolean;
  /** The last ask by owner that a late grant made stray; its answer is an answer to something else. */
  readonly straySeq: number;
  /** What the request before the last got its answers by: they may come again, and must mean nothing. */
  readonly oldRequestSeq: number;
  readonly oldAskSeq: number;
  readonly oldOpenSeq: number;
  readonly openSeq: number;
  readonly isOpening: boolean;
  readonly sessionOpen: boolean;
  readonly starts: number;
  readonly settled: boolean;
  readonly told: boolean;
  /** Windows the work has asked for, and those it was let into. */
  readonly yields: number;
  readonly windows: number;
  /** The section of the work that is open: one at a time. */
  readonly section: 'none' | 'grace' | 'pause';
  readonly writerOpen: boolean;
  readonly cleanupOpen: boolean;
  readonly cleanupSeq: number;
  readonly timeoutCalls: number;
}

const unasked = {
  cancelled: false, granted: false, lost: false, gone: false, asks: 0, askSeq: 0, askedByOwner: false, straySeq: 0,
} as const;

export const newDriver: Driver = {
  ...unasked, started: false, requests: 0, requestSeq: 0, oldRequestSeq: 0, oldAskSeq: 0, oldOpenSeq: 0, openSeq: 0,
  isOpening: false, sessionOpen: false, starts: 0, settled: false, told: false, yields: 0, windows: 0, section: 'none',
  writerOpen: false, cleanupOpen: false, cleanupSeq: 0, timeoutCalls: 0,
};

/** An answer to an ask for the release of the last grant, as far as it is known. */
const isOwnAnswer = ({ askSeq, asks }: Driver, seq: number): boolean => seq === askSeq || (asks > 1 && seq === askSeq - 1);

/** What the driver knows once it has passed this fact to the machine. */
export function hear(driver: Driver, event: Happening): Driver {
  switch (event.type) {
    case 'start': return { ...driver, started: true };
    case 'lock.granted': return event.seq === driver.requestSeq ? { ...driver, granted: true } : driver;
    case 'lease.lost': return { ...driver, lost: true };
    case 'session.opened':
      return driver.isOpening && event.seq === driver.openSeq ? { ...driver, sessionOpen: true } : driver;
    case 'release.confirmed': case 'release.notHeld':
      return isOwnAnswer(driver, event.seq) ? { ...driver, gone: true } : driver;
    case 'work.returned': case 'work.threw': return { ...driver, settled: true };
    case 'lock.yield': return { ...driver, yields: driver.yields + 1, sessionOpen: false };
    case 'section.entered': return { ...driver, section: event.pausesBudgets ? 'pause' : 'grace' };
    case 'section.left': return { ...driver, section: 'none' };
    default: return driver;
  }
}

const ask = (driver: Driver, seq: number): Driver => {
  const isOfAnotherKind = driver.askedByOwner && driver.granted;
  return {
    ...driver,
    askSeq: seq,
    askedByOwner: !driver.granted,
    asks: isOfAnotherKind ? 1 : Math.min(driver.asks + 1, 2),
    straySeq: isOfAnotherKind ? driver.askSeq : driver.straySeq,
  };
};

/** A request has an owner of its own: nothing that is said about the one before is about this one. */
const request = (driver: Driver, seq: number): Driver => ({
  ...driver, ...unasked, requests: driver.requests + 1, requestSeq: seq,
  oldRequestSeq: driver.requestSeq, oldOpenSeq: driver.openSeq, oldAskSeq: driver.asks > 0 ? seq - 1 : 0,
});

/** What the driver knows after performing a command that the machine named while its context had this number. */
export function perform(driver: Driver, command: Command, seq: number): Driver {
  switch (command) {
    case 'requestLock': return request(driver, seq);
    case 'cancelRequest': return { ...driver, cancelled: true };
    case 'openSession': return { ...driver, openSeq: seq, isOpening: true };
    case 'endOpening': return { ...driver, isOpening: false };
    case 'startWork': return { ...driver, starts: Math.min(driver.starts + 1, 2), writerOpen: true };
    case 'runWindow': return { ...driver, windows: Math.min(driver.windows + 1, 2), gone: true };
    case 'resumeWork': return { ...driver, writerOpen: true };
    case 'closeWriter': return { ...driver, writerOpen: false };
    case 'tellWork': return { ...driver, told: true };
    case 'callOnTimeout': return { ...driver, timeoutCalls: Math.min(driver.timeoutCalls + 1, 2) };
    case 'runCleanup': return { ...driver, cleanupOpen: true, cleanupSeq: seq };
    case 'endCleanup': return { ...driver, cleanupOpen: false };
    case 'askRelease': return ask(driver, seq);
  }
}

/** Renewal runs from the grant until the first ask for release or a loss. */
export const isRenewing = ({ granted, lost, asks, askedByOwner }: Driver): boolean =>
  granted && !lost && (asks === 0 || askedByOwner);

/** ... and before: by the store's own client, while the grant is on its way. */
export const somebodyRenews = (driver: Driver): boolean =>
  isRenewing(driver) || (driver.requests > 0 && !driver.granted && driver.asks === 0 && !driver.cancelled);

/** An event a driver delivers: when it has cause to, and with the number of the command it answers. */
export interface Delivery {
  readonly name: string;
  readonly when: (driver: Driver) => boolean;
  readonly of: (driver: Driver) => AttemptEvent;
}

const always = (): boolean => true;
const isWorking = ({ starts, settled }: Driver): boolean => starts > 0 && !settled;
const mayBegin = (driver: Driver): boolean => isWorking(driver) && !driver.told;

/** How long a budget that is over waits for a section that it waits for at all. */
const GRACE_MS = 40;
const SECTIONS = {
  grace: { graceMs: GRACE_MS, pausesBudgets: false, ranMs: 0 },
  pause: { graceMs: 0, pausesBudgets: true, ranMs: 0 },
  none: { graceMs: 0, pausesBudgets: false, ranMs: 0 },
} as const;

/** A window or a section of the work; whether an attempt has any is part of its set-up (see variants.ts). */
export const WINDOW_EVENTS: readonly string[] = ['lock.yield', 'window.ended'];
export const SECTION_EVENTS: readonly string[] = ['section.entered (grace)', 'section.entered (pause)', 'section.left'];

export const deliveries: readonly Delivery[] = [
  { name: 'start', when: (d) => !d.started, of: () => ({ type: 'start' }) },
  { name: 'abort.user', when: always, of: () => ({ type: 'abort.user' }) },
  { name: 'abort.timeout', when: always, of: () => ({ type: 'abort.timeout', kind: 'external' }) },
  { name: 'abort.shutdown', when: always, of: () => ({ type: 'abort.shutdown' }) },
  { name: 'abort.superseded', when: always, of: () => ({ type: 'abort.superseded' }) },
  { name: 'lease.lost', when: (d) => d.granted && !d.lost && !d.gone, of: () => ({ type: 'lease.lost' }) },
  { name: 'session.opened', when: (d) => d.openSeq > 0, of: (d) => ({ type: 'session.opened', seq: d.openSeq }) },
  { name: 'session.failed', when: (d) => d.openSeq > 0, of: (d) => ({ type: 'session.failed', seq: d.openSeq }) },
  { name: 'session.opened (for the first grant)', when: (d) => d.oldOpenSeq > 0,
    of: (d) => ({ type: 'session.opened', seq: d.oldOpenSeq }) },
  { name: 'work.progressed', when: isWorking, of: () => ({ type: 'work.progressed' }) },
  { name: 'work.returned', when: isWorking, of: () => ({ type: 'work.returned' }) },
  { name: 'work.threw', when: isWorking, of: () => ({ type: 'work.threw' }) },
  { name: 'lock.yield', when: (d) => mayBegin(d) && d.writerOpen && d.yields === 0, of: () => ({ type: 'lock.yield' }) },
  // The work's own function ends when it likes: even after an abort, or after the work itself.
  { name: 'window.ended', when: (d) => d.windows > 0, of: () => ({ type: 'window.ended' }) },
  { name: 'section.entered (grace)', when: (d) => mayBegin(d) && d.section === 'none',
    of: () => ({ type: 'section.entered', ...SECTIONS.grace }) },
  { name: 'section.entered (pause)', when: (d) => mayBegin(d) && d.section === 'none',
    of: () => ({ type: 'section.entered', ...SECTIONS.pause }) },
  { name: 'section.left', when: (d) => d.section !== 'none',
    of: (d) => ({ type: 'section.left', ...SECTIONS[d.section] }) },
  { name: 'cleanup.ended', when: (d) => d.cleanupSeq > 0, of: (d) => ({ type: 'cleanup.ended', seq: d.cleanupSeq }) },
  { name: 'cleanup.failed', when: (d) => d.cleanupSeq > 0, of: (d) => ({ type: 'cleanup.failed', seq: d.cleanupSeq }) },
];
