/** Bugs of the driver and the machine that schedules must notice. */
import type { Bug } from '../simulate/patched-build.js';

const machine = 'machines/attempt.machine.js';
const lockSide = 'src/driver/lock-side.js';

/** Those that show only where the work gives the lock up for a window. */
export const WINDOW_BUGS: Record<string, Bug> = {
  'a window is opened before the lock is given up (L8)': {
    file: machine, is: `'lock.yield': 'yielding'`, becomes: `'lock.yield': 'yielded'`,
  },
  'work goes on before the lock is back (S10)': {
    file: 'machines/attempt.parts.js', is: `'window.ended': 'reacquiring'`,
    becomes: `'window.ended': { target: '#attempt.running.working', actions: ['recordReopening', 'resumeWork'] }`,
  },
  'a window that cannot have the lock back goes on without it (S10)': {
    file: 'machines/attempt.parts.js', is: `({ target: '#attempt.aborting.leaseLost', actions: [record, 'recordWindowLoss'] })`,
    becomes: `({ target: '#attempt.running.working', actions: [record, 'recordReopening', 'resumeWork'] })`,
  },
};

export const BUGS: Record<string, Bug> = {
  'the seed bug: a user abort does not give the lock back (M01)': {
    file: machine, is: 'states: { user: {},', becomes: `states: { user: { always: '#attempt.released' },`,
  },
  'a timeout abort does not (M01)': { file: machine, is: 'timeout: {}, shutdown', becomes: `timeout: { always: '#attempt.released' }, shutdown` },
  'a grant after an abort is ignored (M02)': {
    file: machine,
    is: `'lock.granted': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordGrant' }`,
    becomes: `'lock.granted': { guard: 'answersRequest', target: '#attempt.released', actions: 'recordGrant' }`,
  },
  'a grant after an abort runs the work (M04)': {
    file: machine,
    is: `'lock.granted': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordGrant' }`,
    becomes: `'lock.granted': { guard: 'answersRequest', target: '#attempt.locked', actions: 'recordGrant' }`,
  },
  'a grant after the end is kept (M04)': { file: 'src/driver/give-back.js', is: 'void ask(FIRST_RETRY_MS);', becomes: '' },
  'an unknown release counts (S14)': { file: lockSide, is: `if (answer === 'released')`, becomes: `if (answer !== 'notHeld')` },
  'a later abort overwrites the first (M18)': {
    file: machine, is: `on: { 'abort.*': { actions: 'recordLateAbort' } }`, becomes: `on: { 'abort.*': { actions: 'recordAbort' } }`,
  },
  'every abort is accepted': {
    file: 'src/driver/driver.js', is: 'const accepted = before === null && abort !== null', becomes: 'const accepted = abort !== null',
  },
  'a loss is not passed on (S12)': { file: lockSide, is: `if (notice.type === 'lost')`, becomes: `if (notice.type === '')` },
  'the gate does not ask the state (S5)': {
    file: 'src/driver/writing.js', is: 'this.#open && this.#parts.state() === this.#state', becomes: 'true',
  },
  'the session is not closed (L5)': { file: 'src/driver/opening.js', is: '() => opened?.close()', becomes: '() => undefined' },
  'done before the release was answered (M20)': {
    file: machine, is: `{ guard: 'canRelease', target: 'releasing' }`, becomes: `{ guard: 'canRelease', target: 'released' }`,
  },
  'a user abort leaves the session held a little longer (S18)': {
    file: machine, is: `'abort.user': { target: 'aborting.user', actions: 'recordAbort' }`,
    becomes: `'abort.user': { target: 'releasing', actions: ['recordAbort', 'askRelease'] }`,
  },
};
