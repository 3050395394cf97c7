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
  readonly cancelled: boolean;
  /** The grant was delivered: from here lease facts may follow, never before. */
  readonly granted: boolean;
  readonly lost: boolean;
  readonly openSeq: number;
  readonly starts: number;
  readonly settled: boolean;
  readonly writerOpen: boolean;
  readonly cleanupOpen: boolean;
  readonly cleanupSeq: number;
  /** Asks for release of one kind, at most 2 counted: a third differs from a second in nothing but its number. */
  readonly asks: number;
  readonly askSeq: number;
  readonly askedByOwner: boolean;
  /** The last ask by owner that a late grant made stray; its answer is an answer to something else. */
  readonly straySeq: number;
  readonly timeoutCalls: number;
}

export const newDriver: Driver = {
  started: false, requests: 0, requestSeq: 0, cancelled: false, granted: false, lost: false, openSeq: 0,
  starts: 0, settled: false, writerOpen: false, cleanupOpen: false, cleanupSeq: 0,
  asks: 0, askSeq: 0, askedByOwner: false, straySeq: 0, timeoutCalls: 0,
};

/** What the driver knows once it has passed this fact to the machine. */
export function hear(driver: Driver, { type }: Happening): Driver {
  switch (type) {
    case 'start': return { ...driver, started: true };
    case 'lock.granted': return { ...driver, granted: true };
    case 'lease.lost': return { ...driver, lost: true };
    case 'work.returned': case 'work.threw': return { ...driver, settled: true };
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

/** What the driver knows after performing a command that the machine named while its context had this number. */
export function perform(driver: Driver, command: Command, seq: number): Driver {
  switch (command) {
    case 'requestLock': return { ...driver, requests: driver.requests + 1, requestSeq: seq };
    case 'cancelRequest': return { ...driver, cancelled: true };
    case 'openSession': return { ...driver, openSeq: seq };
    case 'startWork': return { ...driver, starts: Math.min(driver.starts + 1, 2), writerOpen: true };
    case 'closeWriter': return { ...driver, writerOpen: false };
    case 'callOnTimeout': return { ...driver, timeoutCalls: Math.min(driver.timeoutCalls + 1, 2) };
    case 'runCleanup': return { ...driver, cleanupOpen: true, cleanupSeq: seq };
    case 'endCleanup': return { ...driver, cleanupOpen: false };
    case 'askRelease': return ask(driver, seq);
    case 'endOpening': case 'tellWork': case 'runWindow': case 'resumeWork': return driver; // Nothing the driver must remember follows from these.
  }
}

/** Renewal runs from the grant until the first ask for release or a loss. */
export const isRenewing = ({ granted, lost, asks, askedByOwner }: Driver): boolean =>
  granted && !lost && (asks === 0 || askedByOwner);

/** An event a driver delivers: when it has cause to, and with the number of the command it answers. */
export interface Delivery {
  readonly name: string;
  readonly when: (driver: Driver) => boolean;
  readonly of: (driver: Driver) => AttemptEvent;
}

const always = (): boolean => true;
const isWorking = ({ starts, settled }: Driver): boolean => starts > 0 && !settled;

export const deliveries: readonly Delivery[] = [
  { name: 'start', when: (d) => !d.started, of: () => ({ type: 'start' }) },
  { name: 'abort.user', when: always, of: () => ({ type: 'abort.user' }) },
  { name: 'abort.timeout', when: always, of: () => ({ type: 'abort.timeout', kind: 'external' }) },
  { name: 'abort.shutdown', when: always, of: () => ({ type: 'abort.shutdown' }) },
  { name: 'abort.superseded', when: always, of: () => ({ type: 'abort.superseded' }) },
  { name: 'lease.lost', when: (d) => d.granted && !d.lost, of: () => ({ type: 'lease.lost' }) },
  { name: 'session.opened', when: (d) => d.openSeq > 0, of: (d) => ({ type: 'session.opened', seq: d.openSeq }) },
  { name: 'session.failed', when: (d) => d.openSeq > 0, of: (d) => ({ type: 'session.failed', seq: d.openSeq }) },
  { name: 'work.progressed', when: isWorking, of: () => ({ type: 'work.progressed' }) },
  { name: 'work.returned', when: isWorking, of: () => ({ type: 'work.returned' }) },
  { name: 'work.threw', when: isWorking, of: () => ({ type: 'work.threw' }) },
  { name: 'cleanup.ended', when: (d) => d.cleanupSeq > 0, of: (d) => ({ type: 'cleanup.ended', seq: d.cleanupSeq }) },
  { name: 'cleanup.failed', when: (d) => d.cleanupSeq > 0, of: (d) => ({ type: 'cleanup.failed', seq: d.cleanupSeq }) },
];
