/**
 * Bugs for the machine, each one small edit of its configuration or of one named piece, that the reference must notice.
 * Owns: the list. An edit that no longer applies fails loudly.
 */
import { createMachine, type AnyStateMachine } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptContext } from '../../machines/attempt.types.js';

// oxlint-disable-next-line no-explicit-any -- a configuration is edited here as the plain data it is
type Config = any;
type Asked = { context: AttemptContext; event: { type: string; seq?: number } };

/** The machine with an edited configuration. */
const edited = (edit: (states: Config, config: Config) => void) => (): AnyStateMachine => {
  const config: Config = { ...attemptMachine.config };
  config.states = structuredClone(config.states);
  config.on = structuredClone(config.on);
  const before = JSON.stringify([config.states, config.on]);
  edit(config.states, config);
  if (JSON.stringify([config.states, config.on]) === before) throw new Error('the bug changed nothing');
  return createMachine(config, attemptMachine.implementations as never);
};
const provided = (parts: Config) => (): AnyStateMachine => attemptMachine.provide(parts) as unknown as AnyStateMachine;
const without = (list: string[], name: string): string[] => {
  if (!list.includes(name)) throw new Error(`there is no ${name} to leave out`);
  return list.filter((one) => one !== name);
};

export const BUGS: Record<string, () => AnyStateMachine> = {
  'a user abort forgets the way out (M01)': edited((s) => { s.aborting.states.user = { always: '#attempt.released' }; }),
  'a second abort while aborting wins (M18)': edited((s) => { s.aborting.on['abort.*'] = { actions: 'recordAbort' }; }),
  'an abort in cleaning restarts the aborting': edited((s) => {
    s.cleaning.on['abort.user'] = { target: 'aborting.user', actions: 'recordAbort' };
  }),
  'a late abort starts the settle time anew': edited((s) => {
    s.aborting.on['abort.*'] = { target: 'aborting', reenter: true, actions: 'recordLateAbort' };
  }),
  'a late grant is ignored while cancelling (M02)': edited((s) => {
    s.acquiring.states.cancelling.on['lock.granted'].target = '#attempt.released';
  }),
  'a late grant runs after all (M04)': edited((s) => {
    s.acquiring.states.cancelling.on['lock.granted'].target = '#attempt.locked';
  }),
  'a grant while releasing is not heard': edited((s) => { delete s.releasing.on['lock.granted']; }),
  'a grant while releasing does not ask anew': edited((s) => { s.releasing.on['lock.granted'].reenter = false; }),
  'cancelling never ends without an answer (L7)': edited((s) => { delete s.acquiring.states.cancelling.after; }),
  'the request is not cancelled': edited((s) => { delete s.acquiring.states.cancelling.entry; }),
  'an unknown answer is taken for a no (S14)': edited((s) => {
    s.acquiring.states.waiting.on['lock.unknown'].target = '#attempt.released';
  }),
  'an unknown release is taken for a yes (S14)': edited((s) => {
    s.releasing.states.asking.on['release.unknown'] = { target: '#attempt.released', actions: 'recordReleased' };
  }),
  'the writer is not closed on leaving running (S5)': edited((s) => { s.running.exit = without(s.running.exit, 'closeWriter'); }),
  'the writer is closed after the work is told': edited((s) => {
    s.running.exit = without(s.running.exit, 'closeWriter');
    s.aborting.entry = ['tellWork', 'closeWriter'];
  }),
  'the idle timer lives on after running': edited((s) => { s.running.exit = without(s.running.exit, 'disarmIdleTimer'); }),
  'progress does not start the idle timer anew': edited((s) => { delete s.running.on['work.progressed']; }),
  'a user abort is marked abandoned (M01)': edited((s) => {
    s.running.on['abort.user'].actions = ['recordAbort', 'markAbandoned'];
  }),
  'a timeout while waiting tells nobody': edited((s) => {
    s.acquiring.states.waiting.on['abort.timeout'].actions = 'recordAbort';
  }),
  'a lost lease is cleaned under': provided({
    guards: { canCleanUp: ({ context }: Asked) => context.work !== 'none' && context.input.hasCleanup && context.abort !== null },
  }),
  'cleanup runs though nothing was started': provided({
    guards: { canCleanUp: ({ context }: Asked) => context.input.hasCleanup && context.lock === 'held' && context.work !== 'pending' },
  }),
  'hold gives the lock back all the same': provided({
    guards: {
      canEnd: ({ context }: Asked) => context.work !== 'pending' || context.unsettled,
      canRelease: ({ context }: Asked) => (context.work !== 'pending' || context.unsettled) && context.lock === 'held',
    },
  }),
  'settleMs 0 waits for the timer': provided({
    guards: { canRelease: ({ context }: Asked) => context.work !== 'pending' && context.lock === 'held' },
  }),
  'an answer to an earlier command counts': provided({ guards: { isAnswer: () => true } }),
  'a release answered for the owner counts for the grant': provided({ guards: { answersRelease: () => true } }),
  'only the last ask for release is heard': provided({
    guards: { answersRelease: ({ context, event }: Asked) => event.seq === context.seq },
  }),
  'an ask waits as long as the lease lives': provided({
    delays: { askMs: ({ context }: Asked) => context.input.budgets.answerMs },
  }),
  'pauses do not grow': provided({ delays: { retryMs: () => 50 } }),
  'the lease of releasing is counted from each ask': edited((s) => {
    s.releasing.states.asking.after.leaseMs = { target: '#attempt.released', actions: 'recordLeaseEnd' };
    delete s.releasing.after;
  }),
  'a loss while releasing is not heard': edited((s) => { delete s.releasing.on['lease.lost']; }),
  'a loss while aborting is not heard': edited((s) => { delete s.aborting.on['lease.lost']; }),
  'late aborts are not recorded': edited((_, config) => { delete config.on; }),
  'waitMs 0 gives up at once': provided({ guards: { hasPatience: () => true } }),
};
