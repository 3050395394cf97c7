/**
 * The stories the pictures tell: what happens, step by step, and for the incidents the bug that was there.
 * Only the script is written here; states, locks and doings come from playing it on the machine.
 */
import type { Step } from './play.js';

export interface Story {
  /** Its file is `<name>.svg`. */
  readonly name: string;
  readonly title: string;
  readonly says: string;
  readonly script: readonly Step[];
}

export interface Incident extends Story {
  /** What was wrong, in a few words over its column. */
  readonly bug: string;
  readonly breaks: (states: Record<string, any>) => Record<string, any>;
}

const toRunning: readonly Step[] = [
  { says: 'an attempt starts', send: { type: 'start' } },
  { says: 'the store grants the lock', store: 'grants' },
  { says: 'the session is open', session: 'opened' },
];
const stop: Step = { says: 'the user presses stop', send: { type: 'abort.user' } };
const overran: Step = { says: 'the time limit passes', send: { type: 'work.overran' } };
const threw: Step = { says: 'the work ends', send: { type: 'work.threw' } };
const confirmed: Step = { says: 'the store confirms the release', store: 'confirms' };
const settleOver: Step = { says: 'the work does not end: settleMs is over', timer: 'settleMs' };
const nextAsks: Step = { says: 'the next attempt asks for the lock', next: 'asks' };
const lateWrite: Step = { says: 'the old work writes after all', write: true };

export const stories: readonly Story[] = [
  {
    name: 'user-abort',
    title: 'What a user abort does',
    says: 'The writer closes and the work is told in the same step; the lock is kept until the work has settled.',
    script: [...toRunning, stop, threw, confirmed, nextAsks],
  },
  {
    name: 'timeout-abort',
    title: 'What a timeout does',
    says: 'The same way out. Only what is recorded differs: the run is marked abandoned and onTimeout is called.',
    script: [...toRunning, overran, threw, confirmed, nextAsks],
  },
  {
    name: 'ignored-abort',
    title: 'What happens when work ignores both',
    says: 'The first abort stays the cause, the second is late. After settleMs the lock goes back; what the work '
      + 'writes later is refused.',
    script: [
      ...toRunning, stop, { says: 'a timeout from outside', send: { type: 'abort.timeout', kind: 'external' } },
      settleOver, confirmed, nextAsks, lateWrite, { says: 'the work ends at last', send: { type: 'work.threw' } },
    ],
  },
  {
    name: 'late-grant',
    title: 'Where a late grant goes',
    says: 'A lock that arrives for somebody who has left is given back at once; no work is started.',
    script: [
      toRunning[0]!, { ...stop, says: 'the user presses stop, still waiting' },
      { says: 'the lock arrives all the same', store: 'grants' }, confirmed, nextAsks,
    ],
  },
  {
    name: 'failing-release',
    title: 'How a failing release ends',
    says: 'Asked again and again; at worst the lease ends by itself. An unknown answer is never taken for a yes.',
    script: [
      ...toRunning, { says: 'the work returns', send: { type: 'work.returned' } },
      { says: 'the store fails', store: 'fails' }, { says: 'a pause', timer: 'retryMs' },
      { says: 'the store is silent for askMs', timer: 'askMs' }, { says: 'a longer pause', timer: 'retryMs' },
      { says: 'leaseMs after the first ask', timer: 'leaseMs' }, nextAsks,
    ],
  },
  {
    name: 'window-cut-short',
    title: 'A yield window cut short',
    says: 'The work gave the lock up for a while and has just asked for it again when the user presses stop. '
      + 'What still arrives is given back.',
    script: [
      ...toRunning, { says: 'the work yields the lock', send: { type: 'lock.yield' } }, confirmed,
      { says: 'the window ends', send: { type: 'window.ended' } }, stop,
      { says: 'the lock arrives all the same', store: 'grants' }, confirmed, threw, nextAsks,
    ],
  },
];

export const incidents: readonly Incident[] = [
  {
    name: 'M01',
    title: 'M01: the seed bug, a release that asks who aborted',
    says: 'A timeout gave the lock back, the user\'s stop did not (openclaw #88600).',
    bug: 'the bug: aborting.user ends by itself',
    breaks: ({ aborting, ...states }) => {
      const user = { always: { guard: 'canEnd', target: '#attempt.released' } };
      return { ...states, aborting: { ...aborting, states: { ...aborting.states, user } } };
    },
    script: [...toRunning, stop, threw, confirmed, nextAsks],
  },
  {
    name: 'M04',
    title: 'M04: a torn-down attempt takes the lock back',
    says: 'A window of the work outlives its attempt and, at its end, asks for the lock again (openclaw #113019).',
    bug: 'the bug: the window asks again',
    breaks: (states) => ({
      ...states,
      released: { on: {
        'window.ended': { actions: ['recordRequest', 'requestLock'] },
        'lock.granted': { guard: 'answersRequest', actions: 'recordGrant' },
      } },
    }),
    script: [
      ...toRunning, { says: 'the work yields the lock', send: { type: 'lock.yield' } }, confirmed, stop, settleOver,
      { says: 'the window ends, late', send: { type: 'window.ended' } },
      { says: 'the store grants what it was asked', store: 'grants' }, nextAsks,
    ],
  },
  {
    name: 'M09',
    title: 'M09: the zombie writer',
    says: 'The lock has been given back, the work goes on writing (openclaw #44510).',
    bug: 'the bug: nothing closes the writer',
    breaks: ({ running, ...states }) => {
      const { exit: _, ...working } = running.states.working;
      return { ...states, running: { ...running, states: { ...running.states, working } } };
    },
    script: [...toRunning, overran, settleOver, confirmed, nextAsks, lateWrite],
  },
];
