/** Bugs of the front: options, the handle, the register, and the command. */
import type { SeededBug } from '../seeded-bug.js';

const OPTIONS = 'src/option-checks.ts';
const GROUP = 'src/cli/run/process-group.ts';

const library: readonly SeededBug[] = [
  { id: 'budget-not-validated', breaks: 'M21', file: OPTIONS, tests: ['attempts/config'],
    sentence: 'A `settleMs` that is no time gets as far as the machine.',
    find: "expectMs('settleMs', settleMs);", replace: '' },
  { id: 'longer-than-any-timer', breaks: 'M21', file: 'src/config-checks.ts', tests: ['attempts/config'],
    sentence: 'A time longer than timers can keep is accepted, and would fire at once.',
    find: 'value >= min && value <= LONGEST_MS;', replace: 'value >= min;' },
  { id: 'idle-limit-that-cannot-fire', breaks: 'M21', file: OPTIONS, tests: ['attempts/config'],
    sentence: 'An idle limit above the run limit, which can never fire, is accepted.',
    find: 'idleTimeoutMs === Infinity || idleTimeoutMs < timeoutMs,', replace: 'idleTimeoutMs > 0,' },
  { id: 'every-abort-is-the-users', breaks: 'M18', file: 'src/options.ts', tests: ['attempts/handle'],
    sentence: 'A TimeoutError on the caller\'s signal is taken for the user.',
    find: "=== 'TimeoutError' ? 'timeout' : 'user';", replace: "=== 'TimeoutError' ? 'user' : 'user';" },
  { id: 'dispose-does-not-wait', breaks: 'S19 M20', file: 'src/attempt.ts', tests: ['seeded/extra/ends'],
    sentence: '`await using` ends before the lock is given back.',
    find: "driver.abort('shutdown', undefined);\n      await driver.done;",
    replace: "driver.abort('shutdown', undefined);" },
  { id: 'stranger-strikes-the-register', breaks: 'M19 S6', file: 'src/register.ts',
    tests: ['incidents/M19', 'seeded/extra/driver'],
    sentence: 'An attempt that was never started strikes the running one of the same id from the register.',
    find: 'if (active.get(attemptId) !== driver) return; // it was never started', replace: '' },
  { id: 'abort-all-leaves-its-timer', breaks: 'L5 L6', file: 'src/register.ts', tests: ['seeded/extra/ends'],
    sentence: 'The limit of `abortAll` stays armed when all have ended.',
    find: 'clock.clearTimeout(timer);', replace: 'void timer;' },
];

const command: readonly SeededBug[] = [
  { id: 'group-not-awaited', breaks: 'M20 L6', file: GROUP, tests: ['seeded/extra/command'], build: true,
    sentence: 'The lock is given back when the command has ended, and what it started goes on writing.',
    find: 'this.#own && pid !== undefined && groupLives(pid)) {', replace: 'this.#own && pid === undefined) {' },
  { id: 'second-signal-does-not-kill', breaks: 'L6', file: 'src/cli/run/run.ts',
    tests: ['seeded/extra/command'], build: true,
    sentence: 'A second signal is passed on like the first instead of killing.',
    find: "if (again) this.#group?.signal('SIGKILL');", replace: 'if (again) this.#group?.signal(signal);' },
  { id: 'timeout-exits-as-the-child', breaks: 'M18', file: 'src/cli/run/exit-of.ts',
    tests: ['cli/run-timeout'], build: true,
    sentence: 'A command that timed out exits as if it had ended by itself.',
    find: 'options.preserveStatus && value ?', replace: 'value ?' },
  { id: 'nested-run-waits-for-itself', breaks: 'M08 L8', file: 'src/cli/run/nested.ts',
    tests: ['seeded/extra/command'], build: true,
    sentence: 'A run under the lock of its own session waits for its own end.',
    find: 'if (holder === null || !outer.includes(holder)) continue;',
    replace: 'if (holder !== undefined) continue;' },
];

export const frontBugs = [...library, ...command];
