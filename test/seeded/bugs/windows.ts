/** Bugs of yield windows, delicate sections and nesting: of the machine's part in them, and of what performs it. */
import type { SeededBug } from '../seeded-bug.js';

const MACHINE = 'machines/attempt.machine.ts';
const PARTS = 'machines/attempt.parts.ts';
const GUARDS = 'machines/attempt.guards.ts';
const RUN_CLOCK = 'machines/attempt.run-clock.ts';
const LOCK = 'src/driver/lock-side.ts';
const DRIVER = 'src/driver/driver.ts';
const WRITING = 'src/driver/writing.ts';
const WINDOWS = 'src/driver/windows.ts';
const SECTIONS = 'src/driver/sections.ts';
const NESTING = 'src/driver/nesting.ts';
const windowTests = ['attempts/windows'];
const sectionTests = ['attempts/sections'];
const nestingTests = ['incidents/M08'];

const windows: readonly SeededBug[] = [
  { id: 'abort-inside-a-window-unheard', breaks: 'M04 S9', file: PARTS, tests: windowTests,
    sentence: 'An abort while a window is open is not heard, and the lock is taken back after it.',
    find: "on: { 'window.ended': 'reacquiring' },",
    replace: "on: { 'window.ended': 'reacquiring', 'abort.*': {} }," },
  { id: 'second-grant-after-an-abort-unheard', breaks: 'M04 M02 S11', file: MACHINE, tests: windowTests,
    sentence: 'A lock asked for again that arrives after an abort stays held while the work settles.',
    find: "'lock.granted': { guard: 'answersRequest', actions: ['recordGrant', 'recordAsk', 'askRelease'] },",
    replace: '' },
  { id: 'window-begun-after-an-abort', breaks: 'M04 L8', file: WINDOWS, tests: windowTests,
    sentence: 'An abort in the tick of yieldLock() leaves who waits for the window waiting.',
    find: "this.#expectRunning(); // still: the tick that was waited at least may have brought an abort, or the work's end",
    replace: '' },
  { id: 'cleanup-in-a-closed-session', breaks: 'M04 R2', file: GUARDS, tests: windowTests,
    sentence: 'A cleanup runs after an abort that met the session being opened again, and cannot write.',
    find: "canEnd(asked) && asked.context.lock === 'held' && asked.context.input.hasCleanup",
    replace: "canEnd(asked) && ['held', 'known'].includes(asked.context.lock) && asked.context.input.hasCleanup" },
  { id: 'window-before-the-release', breaks: 'M20 L8', file: MACHINE, tests: windowTests,
    sentence: 'A window is opened before the lock has been given up.',
    find: "on: { 'lock.yield': 'yielding' },", replace: "on: { 'lock.yield': 'yielded' }," },
  { id: 'loss-before-a-window-unheard', breaks: 'M11 S12', file: PARTS, tests: windowTests,
    sentence: 'A lock that was gone before it could be given up is taken for given up.',
    find: "{ guard: 'isNews', target: '#attempt.aborting.leaseLost', actions: ['recordAbort', 'recordLoss'] },",
    replace: '' },
  { id: 'writes-pass-in-a-window', breaks: 'M09 S5', file: WRITING, tests: windowTests,
    sentence: 'Writes pass while the lock is given up for a window.',
    find: 'return this.#open && this.#parts.state() === this.#state;',
    replace: "return this.#open && (this.#parts.state() === this.#state || this.#parts.state().startsWith('running'));",
    also: { find: "return this.#open && this.#parts.inWindow()", replace: "return false && this.#parts.inWindow()" } },
  { id: 'window-overtakes-a-write', breaks: 'M05 S13', file: WINDOWS, tests: windowTests,
    sentence: 'The lock is given up for a window under a write that has begun.',
    find: 'if (this.#host.pendingWrites() === 0) return;', replace: 'if (this.#host.pendingWrites() >= 0) return;' },
  { id: 'window-waits-for-itself', breaks: 'M05 L8', file: WINDOWS, tests: windowTests,
    sentence: 'A window asked for with a write under way waits without end: from inside guard() for itself.',
    find: 'waitFor(clock, settleMs, told.signal,', replace: 'waitFor(clock, Infinity, told.signal,' },
  { id: 'window-in-a-window', breaks: 'M05', file: WINDOWS, tests: windowTests,
    sentence: 'A second window inside a window is not refused.',
    find: 'this.#expectNoOther();\n', replace: '\n' },
  { id: 'session-open-in-a-window', breaks: 'L5', file: WINDOWS, tests: windowTests,
    sentence: 'The session stays open under a lock that is given up, and the next one is opened beside it.',
    find: 'this.#host.closeSession();', replace: '' },
  { id: 'own-writes-taken-for-foreign', breaks: 'M10', file: WINDOWS, tests: windowTests,
    sentence: 'What the work wrote itself before its window is told as written by others.',
    find: 'records.recordsBetween(session, before, now);', replace: 'records.recordsBetween(session, before - 1, now);' },
  { id: 'foreign-writes-not-told', breaks: 'M10', file: WINDOWS, tests: windowTests,
    sentence: 'What somebody else wrote in the window is not told: off by one.',
    find: 'return now === before + 1 ? []', replace: 'return now <= before + 2 ? []' },
  { id: 'one-owner-for-all-requests', breaks: 'S7 M19', file: LOCK, tests: windowTests,
    sentence: 'An attempt asks for each of its locks by one owner, so that the late release of the first ends the second.',
    find: 'if (this.#requests > 1) this.#owner = `${ownerOf(attemptId)}~${this.#requests}`;', replace: 'void attemptId;' },
  { id: 'first-lease-still-heard', breaks: 'M19 S12', file: LOCK, tests: windowTests,
    sentence: 'What the lease before a window still tells hits the one after it.',
    find: 'this.#leave();\n    this.#lease = null;', replace: 'this.#lease = null;' },
];

const sections: readonly SeededBug[] = [
  { id: 'section-extends-twice', breaks: 'M17 L1', file: GUARDS, tests: sectionTests,
    sentence: 'A budget is put off for a section though another one has been put off already.',
    find: 'clock.overdue === null && Number.isFinite(', replace: 'clock !== null && Number.isFinite(' },
  { id: 'grace-without-end', breaks: 'M17 L1', file: PARTS, tests: sectionTests,
    sentence: 'A section that does not end keeps a budget that is over waiting for ever.',
    find: "'grace.ended': { actions: 'timeOut' },", replace: "'grace.ended': {}," },
  { id: 'put-off-and-forgotten', breaks: 'M17', file: GUARDS, tests: sectionTests,
    sentence: 'Leaving the section does not end work whose budget was put off for it.',
    find: 'clock.overdue !== null && clock.sections.length <= 1;', replace: 'clock.overdue !== null && clock.sections.length < 1;' },
  { id: 'section-not-waited-for', breaks: 'M17', file: GUARDS, tests: sectionTests,
    sentence: 'A budget that is over in a section ends it in the middle, whatever grace it asked for.',
    find: 'isOverdue(asked) && longestGrace(asked.context.clock) > 0;',
    replace: 'isOverdue(asked) && longestGrace(asked.context.clock) < 0;' },
  { id: 'pause-never-ends', breaks: 'M17 L1', file: PARTS, tests: sectionTests,
    sentence: 'The budgets stand still for ever after a section that stopped them.',
    find: "actions: ['recordSectionEnd', 'armRunTimer', 'armIdleTimer'] },", replace: "actions: 'recordSectionEnd' }," },
  { id: 'spent-budget-forgotten', breaks: 'M17 L1', file: RUN_CLOCK, tests: sectionTests,
    sentence: 'A second pause forgets what of the budget was spent before the first.',
    find: 'stops ? clock.spentMs + ranMs', replace: 'stops ? ranMs' },
  { id: 'section-begun-after-an-abort', breaks: 'M17 S11', file: SECTIONS, tests: sectionTests,
    sentence: 'Work that was told to end may begin a new section.',
    find: 'this.#expectRunning(name);', replace: '' },
];

const nesting: readonly SeededBug[] = [
  { id: 'nested-attempt-waits', breaks: 'M08 L8', file: LOCK, tests: nestingTests, hangs: true,
    sentence: 'An attempt started from inside the work of the one that holds its lock waits for it.',
    find: 'nestedError(this.#spec.session, this.#spec.locks) : null;', replace: 'null : nestedError(\'\', this.#spec.locks);' },
  { id: 'only-the-innermost-is-asked', breaks: 'M08 L8', file: NESTING, tests: nestingTests, hangs: true,
    sentence: 'Only the innermost attempt is asked whether it holds the lock, not those it was started from.',
    find: 'outer; outer = outer.outer)', replace: 'outer; outer = null)' },
  { id: 'nested-in-a-window', breaks: 'M08', file: DRIVER, tests: nestingTests,
    sentence: 'An attempt in a yield window is refused, though the lock is not held.',
    find: "held: () => (engine.context.lock === 'held' ? this.#lock.lease : null),",
    replace: 'held: () => this.#lock.lease,' },
  { id: 'nested-on-another-store', breaks: 'M08', file: NESTING, tests: nestingTests,
    sentence: 'An attempt on another store is refused, though it waits for nobody.',
    find: 'outer.locks === locks ? outer.held() : null;', replace: 'outer.held();' },
  { id: 'abort-hits-the-next-run', breaks: 'M19', file: 'src/register.ts', tests: ['incidents/M19'],
    sentence: 'An abort of an attempt that has ended hits the one that runs now.',
    find: 'return active.get(attemptId)?.abort(by, reason)',
    replace: 'return (active.get(attemptId) ?? [...active.values()].at(-1))?.abort(by, reason)' },
];

export const windowBugs = [...windows, ...sections, ...nesting];
