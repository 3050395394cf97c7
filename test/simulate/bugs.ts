/** Bugs of the driver, the gate and the machine that the simulator must notice, each with what it is expected to break. */
import type { Bug } from './patched-build.js';

const machine = 'machines/attempt.machine.js';
const lockSide = 'src/driver/lock-side.js';
const writing = 'src/driver/writing.js';
const gate = 'src/session/gate.js';

export const BUGS: Record<string, Bug> = {
  'an unknown release counts as released (S14)': {
    file: lockSide, is: `if (answer === 'released')`, becomes: `if (answer !== 'notHeld')`,
  },
  'the gate knows no deadline (S2)': { file: gate, is: `? 'doubt' : 'open'`, becomes: `? 'open' : 'open'` },
  'the gate does not notice a sleep (S2)': {
    file: gate, is: 'this.#clock.now() + this.#sleptSinceRenewal(deadline) >= deadline',
    becomes: 'this.#clock.now() >= deadline',
  },
  'the gate does not ask the state (S5)': {
    file: writing, is: 'this.#open && this.#parts.state() === this.#state', becomes: 'true',
  },
  'a late grant is taken for the end (S6)': {
    file: machine,
    is: `'lock.granted': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordGrant' }`,
    becomes: `'lock.granted': { guard: 'answersRequest', target: '#attempt.released', actions: 'recordGrant' }`,
  },
  'a user abort does not give the lock back (M01)': {
    file: machine, is: 'states: { user: {},', becomes: `states: { user: { always: '#attempt.released' },`,
  },
  'a loss is not passed on (S12)': { file: lockSide, is: `if (notice.type === 'lost')`, becomes: `if (notice.type === '')` },
  'every abort is accepted (S9)': {
    file: 'src/driver/driver.js', is: 'const accepted = before === null && abort !== null',
    becomes: 'const accepted = abort !== null',
  },
  'a later abort overwrites the first (M18)': {
    file: machine, is: `on: { 'abort.*': { actions: 'recordLateAbort' } }`, becomes: `on: { 'abort.*': { actions: 'recordAbort' } }`,
  },
  'work starts with a lease in doubt (S10)': {
    file: 'src/driver/opening.js', is: `if (!certainty.isInDoubt())`, becomes: 'if (true)',
  },
  'work that ignores the abort is waited for without a bound (M03)': {
    file: machine, is: `after: { settleMs: { actions: 'recordUnsettled' } }`, becomes: 'after: {}',
  },
  'nobody tells the store that the lock is not wanted': {
    file: lockSide, is: `cancel() {\n        this.#wanted?.abort(NOT_WANTED);`, becomes: 'cancel() {\n        ',
  },
  'a grant after the end is kept (M04)': { file: 'src/driver/give-back.js', is: 'void ask(FIRST_RETRY_MS);', becomes: '' },
  'the gate is open in a window (S5)': {
    file: writing,
    is: `        return this.#open && this.#parts.state() === this.#state;
    }
    isYielded() {
        return this.#open && `,
    becomes: `        return this.#open && this.#parts.state().split('.')[0] === this.#state.split('.')[0];
    }
    isYielded() {
        return false && `,
  },
  'a window is opened before the lock is given up (L8)': {
    file: machine, is: `'lock.yield': 'yielding'`, becomes: `'lock.yield': 'yielded'`,
  },
  'the lock is taken for ours before it is (S10)': {
    file: 'machines/attempt.parts.js', is: `'window.ended': 'reacquiring'`,
    becomes: `'window.ended': { target: '#attempt.running.working', actions: ['recordReopening', 'resumeWork'] }`,
  },
  'the end of a grace is not heard (M17)': {
    file: 'machines/attempt.parts.js', is: `'grace.ended': { actions: 'timeOut' }`, becomes: `'grace.ended': {}`,
  },
  'readers accept what a zombie wrote (S4)': {
    file: 'src/session/read-session.js', is: 'token < highest', becomes: 'token < 0',
  },
  'what is left out is not counted (S17)': {
    file: 'src/session/read-session.js', is: 'discarded += 1', becomes: 'discarded += 0',
  },
};
