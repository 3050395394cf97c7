/**
 * What `checkAttemptMachine` finds: something in each machine that was made worse on purpose, and nothing in ours, nor in
 * machines that only add to it.
 */
import { describe, expect, test } from 'vitest';
import { assign, createMachine, fromPromise, setup, type AnyStateMachine } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { checkAttemptMachine } from '../../src/xstate/index.js';

type Config = { [key: string]: any }; // oxlint-disable-line no-explicit-any -- edited by hand, as a caller would

const copied = (value: unknown): any => { // oxlint-disable-line no-explicit-any
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one)]));
};

/** Ours, with its config edited. */
function derived(edit: (states: Config, config: Config) => void): AnyStateMachine {
  const config = copied(attemptMachine.config) as Config;
  edit(config['states'], config);
  return createMachine(config as never, attemptMachine.implementations as never);
}

const invoked = { src: fromPromise(async () => 1), onDone: 'releasing' };

/** Each bad machine, and what has to be said about it. */
const bad: Record<string, { edit(states: Config, config: Config): void; says: RegExp }> = {
  'releases in an exit action': {
    edit: (states) => { states['running'].exit = [...states['running'].exit, 'releaseTheLock']; },
    says: /`running` releases in an exit action \(`releaseTheLock`\).*no exit actions/,
  },
  'releases in an inline exit action': {
    edit: (states) => { states['aborting'].exit = () => { (globalThis as Config)['lock'].release(); }; },
    says: /`aborting` releases in an exit action/,
  },
  'asks for release on the exit of running instead of in a state': {
    edit: (states) => { states['running'].exit = ['askRelease', ...states['running'].exit]; },
    says: /`running` releases in an exit action \(`askRelease`\)/,
  },
  'invokes in the final state': {
    edit: (states) => { states['released'].invoke = { src: fromPromise(async () => 1) }; },
    says: /`released` is final and invokes .* never runs/,
  },
  'invokes the request for the lock': {
    edit: (states) => { states['acquiring'].states.waiting.invoke = { ...invoked, onDone: '#attempt.locked' }; },
    says: /`acquiring.waiting` invokes .*swallowed/,
  },
  'invokes the work': {
    edit: (states) => { states['running'].invoke = invoked; }, says: /`running` invokes .*swallowed/,
  },
  'gives a cause its own way out': {
    edit: (states) => { states['aborting'].states.user = { always: '#attempt.released' }; },
    says: /`aborting.user` is a cause.*`always` to `released`.*depend on who aborted/,
  },
  'lets a cause release only for a timeout': {
    edit: (states) => { states['aborting'].states.timeout = { on: { 'work.threw': '#attempt.releasing' } }; },
    says: /`aborting.timeout` is a cause.*`work.threw` to `releasing`/,
  },
  'gives a cause an action of its own': {
    edit: (states) => { states['aborting'].states.shutdown = { entry: 'endCleanup' }; },
    says: /`aborting.shutdown` is a cause/,
  },
  'gives a cause a limit of its own': {
    edit: (states) => { states['aborting'].states.superseded = { after: { settleMs: '#attempt.released' } }; },
    says: /`aborting.superseded` is a cause.*`after settleMs`/,
  },
  'goes from aborting straight to the end': {
    edit: (states) => { states['aborting'].always = [{ guard: 'canEnd', target: 'released' }]; },
    says: /`aborting` has lost its edge `always` \(if canRelease\) to `releasing`.*not given back/,
  },
  'drops the release of work that failed': {
    edit: (states) => { states['running'].on['work.threw'] = { target: 'released', actions: 'recordThrow' }; },
    says: /`running` has lost its edge `work.threw` to no other state/,
  },
  'ends running by an event of its own': {
    edit: (states) => { states['running'].on['skip'] = 'released'; },
    says: /`running` can be left by `skip` to `released`, a final state, and nothing gives the lock back/,
  },
  'pauses with the lock in hand': {
    edit: (states) => {
      states['running'].on['pause'] = 'paused';
      states['paused'] = { on: { goOn: 'running' } };
    },
    says: /`running` can be left by `pause` to `paused`, with the lock held/,
  },
  'has a second end': {
    edit: (states) => {
      states['running'].on['crash'] = 'crashed';
      states['crashed'] = { type: 'final' };
    },
    says: /`crashed` is a second end/,
  },
  'tells the user abort from nothing': {
    edit: (states) => { delete states['running'].on['abort.user']; },
    says: /`running` has lost its edge `abort.user` to `aborting.user`/,
  },
  'takes a user abort for a timeout': {
    edit: (states) => { states['running'].on['abort.user'] = { target: 'aborting.timeout', actions: 'recordAbort' }; },
    says: /`running` has lost its edge `abort.user` to `aborting.user`.*it has `abort.user` to `aborting.timeout`/,
  },
  'aborts only where it likes to': {
    edit: (states) => { states['running'].on['abort.user'].guard = 'hasPatience'; },
    says: /`running` has lost its edge `abort.user`/,
  },
  'handles an abort in a child': {
    edit: (states) => { states['running'].states.working.on['abort.user'] = { actions: 'recordLateAbort' }; },
    says: /`running.working` handles `abort.user`, an event of the attempt, in a way of its own/,
  },
  'catches everything in a child': {
    edit: (states) => { states['running'].states.working.on['*'] = { actions: assign({}) }; },
    says: /`running.working` handles `\*`/,
  },
  'puts an edge before ours': {
    edit: (states) => {
      states['running'].on['abort.timeout'] = [{ guard: 'hasPatience', actions: [] }, states['running'].on['abort.timeout']];
    },
    says: /`running` handles `abort.timeout` \(if hasPatience\)/,
  },
  'forgets to close the writer': {
    edit: (states) => { delete states['running'].states.working.exit; },
    says: /`running.working` does not do `closeWriter` on exit any more/,
  },
  'forgets to ask': {
    edit: (states) => { states['releasing'].states.asking.entry = ['recordAsk']; },
    says: /`releasing.asking` does not do `recordAsk`, `askRelease` on entry/,
  },
  'does not wait for the lease\'s end': {
    edit: (states) => { delete states['releasing'].after; },
    says: /`releasing` has lost its edge `after leaseMs` to `released`/,
  },
  'has no state to release in': {
    edit: (states) => {
      delete states['releasing'];
      const text = JSON.stringify(states).replaceAll('#attempt.releasing', '#attempt.released').replaceAll('"releasing"', '"released"');
      Object.assign(states, JSON.parse(text));
    },
    says: /`releasing` is not there any more/,
  },
  'begins with the lock it has not': {
    edit: (_states, config) => { config['initial'] = 'running'; },
    says: /the top state begins in `running`, not in `idle`/,
  },
  'makes the end no end': {
    edit: (states) => { states['released'] = {}; }, says: /`released` is not final any more/,
  },
};

describe('a machine made worse on purpose', () => {
  for (const [name, { edit, says }] of Object.entries(bad)) {
    test(`S6 S18: one that ${name}`, () => {
      const found = checkAttemptMachine(derived(edit));
      expect(found.filter((one) => says.test(one)), found.join('\n')).toHaveLength(1);
    });
  }

  test('S18: one whose guard, delay or record is another, or not there', () => {
    const found = checkAttemptMachine(attemptMachine.provide({
      guards: { canRelease: () => false }, delays: { settleMs: 1 }, actions: { recordAbort: assign({}) },
    }));
    expect(found).toEqual([
      'The guard `canRelease` is not ours any more, and decides.', 'The delay `settleMs` is not ours any more, and decides.',
      'The action `recordAbort` is not ours any more, and decides.',
    ]);
    const bare = checkAttemptMachine(createMachine(copied(attemptMachine.config) as never, {} as never));
    expect(bare).toContain('The action `askRelease` has no implementation.');
  });

  test('one that is no attempt at all', () => {
    expect(checkAttemptMachine(createMachine({ id: 'lamp', initial: 'off', states: { off: {}, on: {} } }))).toEqual([
      expect.stringMatching(/^No state of `lamp` has the states of an attempt \(`idle`, /),
    ]);
  });
});

/** Ours as a part of another machine, whose own edges are these. */
const within = (on: Config, wrap: Config = {}) => setup({}).createMachine({
  initial: 'turn',
  states: { turn: { ...copied(attemptMachine.config), id: 'attempt', context: undefined, output: undefined, on: {
    ...(attemptMachine.config as Config)['on'], ...on,
  }, onDone: 'idle', ...wrap }, idle: {} },
} as never).provide(attemptMachine.implementations as never) as unknown as AnyStateMachine;

describe('a machine that only adds', () => {
  const good: Record<string, AnyStateMachine> = {
    'ours itself': attemptMachine,
    'ours with commands': attemptMachine.provide({ actions: { askRelease: () => {}, startWork: () => {} } }),
    'ours from its config': derived(() => {}),
    'one with actions, events and substates of its own': derived((states) => {
      states['running'].entry = ['showIt', ...states['running'].entry];
      states['running'].on['work.returned'].actions = ['recordReturn', 'showIt'];
      states['running'].on['user.typed'] = { actions: 'showIt' };
      Object.assign(states['running'].states.working, {
        initial: 'thinking', states: { thinking: { on: { call: 'calling' } }, calling: { on: { answer: 'thinking' } } },
      });
      states['idle'].on.tidy = { actions: 'showIt' };
    }),
    'ours as a part of another': within({}),
  };
  for (const [name, machine] of Object.entries(good)) {
    test(`nothing is found in ${name}`, () => expect(checkAttemptMachine(machine)).toEqual([]));
  }

  test('S6: a part of another that is left before its end', () => {
    expect(checkAttemptMachine(within({ cancel: '#(machine).idle' }))).toEqual([
      expect.stringMatching(/^`turn` can be left by `cancel` to `idle` before the attempt has ended/),
    ]);
  });
});
