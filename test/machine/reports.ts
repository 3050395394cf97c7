/**
 * What the attempt reports at its end, by hand from SPEC section 4: how the work ended, and what became of the lock.
 * The table says where the machine goes; these say what it remembers of the way.
 */
import { pathOf } from '../../machines/attempt.invariants.js';
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptOutput } from '../../machines/attempt.types.js';
import { inputOf, type Happened, type Setting } from './cases.js';
import { play, type Mismatch } from './play.js';

interface Reported {
  readonly when: string;
  readonly setting?: Setting;
  readonly events: readonly Happened[];
  readonly report: Partial<AttemptOutput>;
}

const timer = (name: string): Happened => ({ timer: name });
const start: Happened = { type: 'start' };
const granted: Happened = { type: 'lock.granted', seq: 1, token: 7 };
const running: Happened[] = [start, granted, { type: 'session.opened', seq: 2 }];
const returned: Happened = { type: 'work.returned', value: 'reply' };
const lost: Happened = { type: 'lease.lost', reason: 'taken over' };
const confirmed = (seq: number): Happened => ({ type: 'release.confirmed', seq });
const notHeld = (seq: number): Happened => ({ type: 'release.notHeld', seq });
const noCleanup: Setting = { input: { hasCleanup: false } };
const user: Happened = { type: 'abort.user', reason: 'stop' };
const timeout: Happened = { type: 'abort.timeout', kind: 'external', reason: 'deadline' };
const again = [timer('askMs'), timer('retryMs')];
const yielding: Happened[] = [...running, { type: 'lock.yield' }];
const yielded: Happened[] = [...yielding, confirmed(3)];
const backAsked: Happened[] = [...yielded, { type: 'window.ended' }];
const grantedBack: Happened = { type: 'lock.granted', seq: 4, token: 8 };
const entered = (graceMs: number, pausesBudgets = false): Happened =>
  ({ type: 'section.entered', graceMs, pausesBudgets, ranMs: 5 });
const left = (graceMs: number, pausesBudgets = false): Happened =>
  ({ type: 'section.left', graceMs, pausesBudgets, ranMs: 9 });

export const reports: readonly Reported[] = [
  { when: 'the work returns', setting: noCleanup, events: [...running, returned, confirmed(3)],
    report: { outcome: 'completed', abortedBy: null, value: 'reply', settled: true,
      abandoned: false, lease: 'released', token: 7 } },
  { when: 'the work throws', setting: noCleanup,
    events: [...running, { type: 'work.threw', error: 'oops' }, confirmed(3)],
    report: { outcome: 'failed', workError: 'oops', settled: true, abandoned: false,
      lease: 'released', failure: null } },
  { when: 'the lock is busy', events: [start, { type: 'lock.busy', seq: 1, holder: 'another' }],
    report: { outcome: 'notStarted', settled: null, lease: 'neverHeld', token: null,
      failure: { code: 'LOCK_BUSY', detail: 'another' } } },
  { when: 'patience is over, then a definite no',
    events: [start, timer('waitMs'), { type: 'lock.busy', seq: 1 }],
    report: { outcome: 'notStarted', abortedBy: null, lease: 'neverHeld',
      failure: { code: 'LOCK_BUSY', detail: undefined } } },
  { when: 'patience is over, then an abort, then a late grant',
    events: [start, timer('waitMs'), user, granted, confirmed(2)],
    report: { outcome: 'notStarted', abortedBy: null, lateAborts: ['user'], lease: 'released', token: 7 } },
  { when: 'the store fails', events: [start, { type: 'lock.unknown', seq: 1, error: 'EIO' }, notHeld(2)],
    report: { outcome: 'notStarted', lease: 'neverHeld', failure: { code: 'LOCK_STORE_FAILED',
      detail: 'EIO' } } },
  { when: 'the store says nothing at all', events: [start, user, timer('answerMs'), timer('leaseMs')],
    report: { outcome: 'aborted', abortedBy: 'user', lease: 'unconfirmed', token: null, settled: null } },
  { when: 'the session does not open',
    events: [start, granted, { type: 'session.failed', seq: 2, error: 'ENOENT' }, confirmed(3)],
    report: { outcome: 'notStarted', lease: 'released', failure: { code: 'SESSION_OPEN_FAILED',
      detail: 'ENOENT' } } },
  { when: 'aborted before it began', events: [user],
    report: { outcome: 'aborted', abortedBy: 'user', reason: 'stop', lease: 'neverHeld',
      settled: null, abandoned: false } },
  { when: 'aborted by a user while running (M01)', setting: noCleanup,
    events: [...running, user, returned, confirmed(3)],
    report: { outcome: 'aborted', abortedBy: 'user', timeoutKind: null, reason: 'stop',
      settled: true, abandoned: false,
      value: 'reply', lease: 'released' } },
  { when: 'aborted by a timeout while running (M01)', setting: noCleanup,
    events: [...running, timeout, returned, confirmed(3)],
    report: { outcome: 'aborted', abortedBy: 'timeout', timeoutKind: 'external', settled: true,
      abandoned: true } },
  { when: 'the run budget is over, and the work never settles (M03)', setting: noCleanup,
    events: [...running, timer('run'), timer('settleMs'), confirmed(3)],
    report: { outcome: 'aborted', abortedBy: 'timeout', timeoutKind: 'run', settled: false,
      abandoned: true, lease: 'released' } },
  { when: 'no progress for too long', setting: noCleanup,
    events: [...running, timer('idle'), returned, confirmed(3)],
    report: { outcome: 'aborted', abortedBy: 'timeout', timeoutKind: 'idle', abandoned: true } },
  { when: 'a timeout while waiting abandons nothing', events: [start, timeout, { type: 'lock.busy', seq: 1 }],
    report: { outcome: 'aborted', abortedBy: 'timeout', abandoned: false, settled: null, failure: null } },
  { when: 'a timeout while opening abandons nothing', events: [start, granted, timeout, confirmed(3)],
    report: { outcome: 'aborted', abortedBy: 'timeout', abandoned: false, settled: null,
      lease: 'released' } },
  { when: 'user, then timeout, then user again (M18)', setting: noCleanup,
    events: [...running, user, timeout, user, { type: 'abort.shutdown' }, timeout, timer('settleMs'), confirmed(3)],
    report: { abortedBy: 'user', lateAborts: ['timeout', 'user', 'shutdown'], abandoned: false,
      timeoutKind: null } },
  { when: 'timeout, then user (M18)', setting: noCleanup,
    events: [...running, timeout, user, returned, confirmed(3)],
    report: { abortedBy: 'timeout', lateAborts: ['user'], abandoned: true } },
  { when: 'aborts while cleaning and releasing come late',
    events: [...running, returned, user, { type: 'cleanup.ended', seq: 3 }, timeout, confirmed(4)],
    report: { outcome: 'completed', abortedBy: null, lateAborts: ['user', 'timeout'], abandoned: false } },
  { when: 'the lease is lost while running (M12)', events: [...running, lost, returned],
    report: { outcome: 'aborted', abortedBy: 'leaseLost', reason: 'taken over', lease: 'lost',
      settled: true, token: 7 } },
  { when: 'the lease is lost while aborting', events: [...running, user, lost, timer('settleMs')],
    report: { abortedBy: 'user', lateAborts: ['leaseLost'], lease: 'lost', settled: false } },
  { when: 'the lease is lost while cleaning', events: [...running, returned, lost],
    report: { outcome: 'completed', lease: 'lost', lateAborts: [] } },
  { when: 'the cleanup fails',
    events: [...running, returned, { type: 'cleanup.failed', seq: 3, error: 'oops' }, confirmed(4)],
    report: { outcome: 'completed', cleanupError: 'oops', lease: 'released' } },
  { when: 'the release fails once (M06)', setting: noCleanup,
    events: [...running, returned, { type: 'release.unknown', seq: 3, error: 'EIO' }, timer('retryMs'), confirmed(4)],
    report: { outcome: 'completed', lease: 'released', releaseError: 'EIO' } },
  { when: 'the first release answers "not held"', setting: noCleanup,
    events: [...running, returned, notHeld(3)],
    report: { outcome: 'completed', lease: 'lost' } },
  { when: 'a later release answers "not held"', setting: noCleanup,
    events: [...running, returned, ...again, notHeld(4)],
    report: { outcome: 'completed', lease: 'unconfirmed' } },
  { when: 'a late grant was perhaps ended by an ask before it',
    events: [start, user, timer('answerMs'), granted, notHeld(3)],
    report: { abortedBy: 'user', lease: 'unconfirmed' } },
  { when: 'no release is ever answered', setting: noCleanup,
    events: [...running, returned, ...again, timer('leaseMs')],
    report: { outcome: 'completed', lease: 'expired', releaseError: { limit: 'answerMs' } } },
  { when: 'no release is ever answered, and leases do not end',
    setting: { input: { hasCleanup: false, leaseEnds: false } },
    events: [...running, returned, timer('leaseMs')],
    report: { outcome: 'completed', lease: 'unconfirmed' } },
  ...ofWindows(), ...ofSections(),
];

/** The lock is given up and taken back: whose grant is reported, and a window that could not be ended. */
function ofWindows(): readonly Reported[] {
  return [
    { when: 'a window, and the work goes on under a new token', setting: noCleanup,
      events: [...backAsked, grantedBack, { type: 'session.opened', seq: 5 }, returned, confirmed(6)],
      report: { outcome: 'completed', value: 'reply', settled: true, lease: 'released', token: 8, lateAborts: [] } },
    { when: 'the work ends in its window', events: [...yielded, returned],
      report: { outcome: 'completed', abortedBy: null, settled: true, lease: 'released', token: 7 } },
    { when: 'aborted by a user in a window (M04)', events: [...yielded, user, { type: 'window.ended' }, returned],
      report: { outcome: 'aborted', abortedBy: 'user', reason: 'stop', settled: true, abandoned: false,
        lease: 'released', token: 7 } },
    { when: 'aborted while asking again, then a late grant (M04)',
      events: [...backAsked, user, grantedBack, confirmed(5), returned],
      report: { outcome: 'aborted', abortedBy: 'user', lease: 'released', token: 8 } },
    { when: 'aborted while asking again, and that grant is lost', events: [...backAsked, user, grantedBack, lost, returned],
      report: { abortedBy: 'user', lateAborts: ['leaseLost'], lease: 'lost', token: 8 } },
    { when: 'aborted while asking again, then a definite no',
      events: [...backAsked, user, { type: 'lock.busy', seq: 4, holder: 'another' }, returned],
      report: { abortedBy: 'user', failure: null, lease: 'released', token: 7 } },
    { when: 'the run budget is over in a window', events: [...yielded, timer('run'), timer('settleMs')],
      report: { outcome: 'aborted', abortedBy: 'timeout', timeoutKind: 'run', settled: false, abandoned: true,
        lease: 'released' } },
    { when: 'in a window there is nothing to hold', setting: { input: { onUnsettled: 'hold' } },
      events: [...yielded, user, timer('settleMs')],
      report: { abortedBy: 'user', settled: false, lease: 'released' } },
    { when: 'others have the lock at the end of a window',
      events: [...backAsked, { type: 'lock.busy', seq: 4, holder: 'another' }, returned],
      report: { outcome: 'aborted', abortedBy: 'leaseLost', timeoutKind: null,
        reason: { code: 'LOCK_BUSY', detail: 'another' }, failure: null, settled: true, lease: 'released', token: 7 } },
    { when: 'patience is over at the end of a window, and a late grant is given back',
      events: [...backAsked, timer('waitMs'), grantedBack, confirmed(5), returned],
      report: { abortedBy: 'leaseLost', reason: { code: 'LOCK_BUSY', detail: undefined }, lease: 'released', token: 8 } },
    { when: 'the store fails at the end of a window, and says nothing more',
      events: [...backAsked, { type: 'lock.unknown', seq: 4, error: 'EIO' }, returned, timer('leaseMs')],
      report: { abortedBy: 'leaseLost', reason: { code: 'LOCK_STORE_FAILED', detail: 'EIO' }, lease: 'unconfirmed' } },
    { when: 'the session does not open again',
      events: [...backAsked, grantedBack, { type: 'session.failed', seq: 5, error: 'ENOENT' }, returned, confirmed(6)],
      report: { abortedBy: 'leaseLost', reason: { code: 'SESSION_OPEN_FAILED', detail: 'ENOENT' }, lease: 'released',
        token: 8 } },
    { when: 'the lease is lost while it is given up for a window', events: [...yielding, lost, confirmed(3), returned],
      report: { abortedBy: 'leaseLost', reason: 'taken over', lease: 'lost' } },
    { when: 'the first release for a window answers "not held"', events: [...yielding, notHeld(3), returned],
      report: { abortedBy: 'leaseLost', reason: undefined, lease: 'lost' } },
    { when: 'a later release for a window answers "not held"', events: [...yielding, ...again, notHeld(4), returned],
      report: { outcome: 'completed', abortedBy: null, lease: 'unconfirmed', releaseError: { limit: 'answerMs' } } },
    { when: 'no release for a window is ever answered', events: [...yielding, timer('leaseMs'), returned],
      report: { outcome: 'completed', lease: 'expired' } },
    { when: 'what was asked for a window counts while its work settles', events: [...yielding, user, confirmed(3), returned],
      report: { abortedBy: 'user', lease: 'released' } },
  ];
}

/** A budget that is over inside a section is put off once (M17). */
function ofSections(): readonly Reported[] {
  return [
    { when: 'the run budget is over in a section, and so is its grace', setting: noCleanup,
      events: [...running, entered(30), timer('run'), timer('grace'), returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'run', abandoned: true } },
    { when: 'no progress for too long in a section that is then left', setting: noCleanup,
      events: [...running, entered(30), timer('idle'), left(30), returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'idle', abandoned: true } },
    { when: 'the other budget is over as well: one grace, and the first counts', setting: noCleanup,
      events: [...running, entered(30), timer('idle'), timer('run'), timer('grace'), returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'idle', lateAborts: [] } },
    { when: 'the work returns within the grace', setting: noCleanup,
      events: [...running, entered(30), timer('run'), returned, confirmed(3)],
      report: { outcome: 'completed', abortedBy: null, timeoutKind: null, abandoned: false } },
    { when: 'aborted by a user within the grace', setting: noCleanup,
      events: [...running, entered(30), timer('run'), user, left(30), returned, confirmed(3)],
      report: { abortedBy: 'user', timeoutKind: null, lateAborts: [], abandoned: false } },
    { when: 'the run budget goes on after a section in which it stood still', setting: noCleanup,
      events: [...running, entered(0, true), left(0, true), timer('run'), returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'run', abandoned: true } },
    { when: 'silence counts anew after a section in which it did not', setting: noCleanup,
      events: [...running, entered(0, true), left(0, true), timer('idle'), returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'idle', abandoned: true } },
    { when: 'a limit of the caller waits for no section', setting: noCleanup,
      events: [...running, entered(30, true), timeout, returned, confirmed(3)],
      report: { abortedBy: 'timeout', timeoutKind: 'external', abandoned: true } },
  ];
}

/** What the machine reports otherwise than it should. */
export function checkReports(machine: AttemptMachine): Mismatch[] {
  return reports.flatMap(({ when, setting, events, report }) => {
    try {
      const { snapshot, timers } = play(machine, inputOf(setting ?? {}), events);
      if (snapshot.status !== 'done') return [{ where: when, expected: 'the end', got: pathOf(snapshot.value) }];
      if (timers.size > 0) return [{ where: when, expected: 'no timer at the end', got: [...timers.keys()].join(' ') }];
      const output = snapshot.output as AttemptOutput;
      const got = Object.fromEntries(Object.keys(report).map((key) => [key, output[key as keyof AttemptOutput]]));
      const [is, should] = [JSON.stringify(got), JSON.stringify(report)];
      return is === should ? [] : [{ where: when, expected: should, got: is }];
    } catch (error) {
      return [{ where: when, expected: 'the end', got: String(error) }];
    }
  });
}
