/** Bugs of asking a holder to end: taking over, stopping from outside. */
import type { SeededBug } from '../seeded-bug.js';

const LOCK = 'src/driver/lock-side.ts';
const TAKE_OVER = 'src/driver/take-over.ts';
const ASKING = 'src/locks/asking.ts';
const MEMORY = 'src/locks/memory-locks.ts';
const NOTICES = 'src/locks/notices.ts';
const ASKS = 'src/locks/file/asks.ts';
const EAR = 'src/locks/file/ear.ts';
const ON_DISK = 'src/locks/file/ask-on-disk.ts';
const STOP = 'src/stop-attempt.ts';

const attempts: readonly SeededBug[] = [
  { id: 'window-asks-again', breaks: 'M04', file: LOCK, tests: ['attempts/take-over'],
    sentence: 'An attempt that took over asks whoever got the lock during its window to end, too.',
    find: 'if (!this.#spec.takeOver || this.#requests > 1) return;', replace: 'if (!this.#spec.takeOver) return;' },
  { id: 'first-holder-asked-alone', breaks: 'L1', file: TAKE_OVER, tests: ['attempts/take-over'], hangs: true,
    sentence: 'Only the first holder is asked: one that is served before us keeps us waiting for its whole life.',
    find: 'if (whom === asked) return;', replace: 'if (asked !== null) return;' },
  { id: 'asking-goes-on-after-the-grant', breaks: 'L5', file: LOCK, tests: ['attempts/take-over'],
    sentence: 'Who has the lock goes on looking for holders to ask.',
    find: 'stopAsking();\n      fact();', replace: 'fact();' },
  { id: 'stop-taken-for-superseded', breaks: 'M18 S9', file: LOCK, tests: ['attempts/take-over'],
    sentence: 'A user that stops an attempt from outside is reported as another attempt that took its place.',
    find: "type: 'abort.user', reason: new StopAsked(notice)", replace: "type: 'abort.superseded', reason: new StopAsked(notice)" },
  { id: 'refusal-not-heard', breaks: 'M22', file: ASKING, tests: ['attempts/take-over'],
    sentence: 'A holder that is not supersedable is ended all the same.',
    find: "as === 'superseded' && supersedable === false", replace: "as === 'superseded' && supersedable === undefined" },
  { id: 'user-refused', breaks: 'L6', file: ASKING, tests: ['attempts/take-over'], hangs: true,
    sentence: 'A holder that is not supersedable cannot be stopped by its user either.',
    find: "as === 'superseded' && supersedable === false", replace: 'supersedable === false && as.length > 0' },
  { id: 'stop-hits-another-attempt', breaks: 'M19', file: STOP, tests: ['attempts/take-over'],
    sentence: 'A stop that names an attempt ends whoever holds the lock by now.',
    find: 'if (holder === null || (attemptId !== undefined && holder.attemptId !== attemptId)) return',
    replace: 'if (holder === null) return' },
  { id: 'ask-not-addressed', breaks: 'M19 S7', file: MEMORY, tests: ['locks/contract'],
    sentence: 'An ask meant for a grant that is over is told to the next holder.',
    find: 'if (!lease || lease.token !== whom.token) return', replace: 'if (!lease || whom.token === -1) return' },
  { id: 'early-ask-forgotten', breaks: 'M19', file: NOTICES, tests: ['locks/contract'],
    sentence: 'A holder that was asked before it listened is never told.',
    find: "notice.type !== 'inDoubt' &&", replace: "notice.type === 'lost' &&" },
];

const files: readonly SeededBug[] = [
  { id: 'ask-laid-for-the-dead', breaks: 'M19', file: ON_DISK, tests: ['locks/file/asks'], build: true,
    sentence: 'An ask is laid whoever holds the lock, and said to be delivered.',
    find: 'occupant.name.token === token &&', replace: 'token > 0 &&' },
  { id: 'ask-not-withdrawn', breaks: 'L5', file: ON_DISK, tests: ['locks/file/asks'], build: true,
    sentence: 'An ask that nobody wants any more stays, and ends a holder for nobody.',
    find: "ask.signal.addEventListener('abort', () => void removeAsk(room, name));", replace: '' },
  { id: 'ask-of-any-grant-heard', breaks: 'M19', file: ASKS, tests: ['locks/file/asks'],
    sentence: 'A holder hears what others were asked.',
    find: 'name.startsWith(`ask.${token}.`) && parseAsk(name)', replace: 'token > 0 && parseAsk(name)' },
  { id: 'planted-ask-heard', breaks: 'S7', file: ASKS, tests: ['locks/file/asks'],
    sentence: 'A link, a directory or a pipe in place of an ask is taken for one.',
    find: 'as === undefined || !stat.isFile() || stat.nlink > 1', replace: 'as === undefined' },
  { id: 'asks-not-cleared', breaks: 'S17 L5', file: ASKS, tests: ['locks/file/asks'],
    sentence: 'Asks of grants that are over stay for ever.',
    find: '?? granted) < granted) removeAsk', replace: '?? granted) < 0) removeAsk' },
  { id: 'ask-told-again', breaks: 'S9', file: EAR, tests: ['locks/file/asks'],
    sentence: 'A holder is told the same kind of ask again with every file.',
    find: 'if (this.#heard.has(said.type)) continue;', replace: '' },
  { id: 'ear-left-open', breaks: 'L5', file: EAR, tests: ['locks/file/asks'],
    sentence: 'The watch of a lease outlives it.',
    find: 'this.#watcher?.close();\n', replace: '' },
  { id: 'last-look-missing', breaks: 'M04', file: EAR, tests: ['locks/file/asks'],
    sentence: 'A stop that came right before a window is lost, and the attempt goes on.',
    find: 'this.#look();\n    this.close();', replace: 'this.close();' },
  { id: 'wordless-ask-unheard', breaks: 'L6', file: ASKS, tests: ['locks/file/asks'],
    sentence: 'An ask whose content cannot be read is never heard.',
    find: 'const { by, reason } = found ?? {};', replace: 'if (found === null) return null;\n  const { by, reason } = found;' },
];

export const askingBugs: readonly SeededBug[] = [...attempts, ...files];
