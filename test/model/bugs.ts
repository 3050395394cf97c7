/**
 * Bugs for the machine, each one small edit of its configuration or of one named piece, that the reference must notice.
 * Owns: the list. An edit that no longer applies fails loudly.
 */
import { assign, createMachine, raise, type AnyStateMachine } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptContext } from '../../machines/attempt.types.js';

// oxlint-disable-next-line no-explicit-any -- a configuration is edited here as the plain data it is
type Config = any;
type Asked = { context: AttemptContext; event: { type: string; seq?: number; pausesBudgets?: boolean } };

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

/** A limit of "never" that is put off would be a bug of its own. */
const hasLimits = ({ input: { budgets } }: AttemptContext): boolean => Number.isFinite(budgets.timeoutMs + budgets.idleTimeoutMs);

/** Of yield windows and delicate sections (issue 7). */
const windowsAndSections: Record<string, () => AnyStateMachine> = {
  'an abort in a window takes the lock back first (M04)': edited((s) => { s.running.states.yielded.on['abort.user'] = 'reacquiring'; }),
  'a grant for a window that was cut short is kept (S11)': edited((s) => { delete s.aborting.on['lock.granted']; }),
  'the writer stays open in a window (S5)': edited((s) => {
    delete s.running.states.working.exit;
    s.running.exit = ['closeWriter', ...s.running.exit];
  }),
  'a window opens with the lock still held': edited((s) => { s.running.states.working.on['lock.yield'] = 'yielded'; }),
  'a window that finds the lock taken goes on without it (S10)': edited((s) => {
    s.running.states.reacquiring.states.waiting.on['lock.busy'].target = '#attempt.running.working';
  }),
  'an unknown answer ends a window as a grant would (S14)': edited((s) => {
    s.running.states.reacquiring.states.waiting.on['lock.unknown'].target = 'opening';
  }),
  'a window never loses its patience': edited((s) => { delete s.running.states.reacquiring.states.waiting.after; }),
  'the request of a window is not cancelled': edited((s) => { delete s.running.states.reacquiring.exit; }),
  'a grant is used before its session is open again': edited((s) => {
    s.running.states.reacquiring.states.waiting.on['lock.granted'].actions = 'recordGrant';
  }),
  'answers about an earlier grant count for the new one (S14)': provided({ actions: {
    recordRequest: assign((({ context: { seq } }: Asked) => ({ seq: seq + 1, request: seq + 1, lock: 'asked' })) as Config),
  } }),
  'not held, asked once for a window, is no loss (S12)': edited((s) => { s.running.states.yielding.on['release.notHeld'].shift(); }),
  'not held, asked twice for a window, is a loss': provided({
    guards: { isNews: ({ context, event }: Asked) => context.firstAsk > 0 && (event.seq ?? 0) >= context.firstAsk },
  }),
  'a release that a cut window began is not heard any more': edited((s) => { delete s.aborting.on['release.confirmed']; }),
  'after a window that finds the lock taken it was never held': provided({ actions: {
    recordBusy: assign((({ event: { holder } }: { event: { holder?: unknown } }) =>
      ({ lock: 'refused', lease: 'neverHeld', failure: { code: 'LOCK_BUSY', detail: holder } })) as Config),
  } }),
  'the budgets stand still in a window': edited((s) => { s.running.states.yielded.entry = ['runWindow', 'disarmRunTimer']; }),
  'the budgets start anew after a window': edited((s) => {
    s.running.states.reacquiring.states.opening.on['session.opened'].actions.push('armRunTimer');
  }),
  'a section puts a budget off each time (M17)': provided({
    guards: { mayPutOff: ({ context }: Asked) => hasLimits(context) && context.clock.sections.some(({ graceMs }) => graceMs > 0) },
  }),
  'a section without grace puts a budget off': provided({
    guards: { mayPutOff: ({ context }: Asked) => hasLimits(context) && context.clock.overdue === null && context.clock.sections.length > 0 },
  }),
  'the section entered last decides about the grace': provided({
    delays: { graceMs: ({ context: { clock } }: Asked) => clock.sections.at(-1)?.graceMs ?? 0 },
  }),
  'what was put off lasts to the end of its grace': edited((s) => { s.running.on['section.left'].shift(); }),
  'leaving one of two sections ends the grace': provided({ guards: { endsGrace: ({ context }: Asked) => context.clock.overdue !== null } }),
  'a put-off timeout forgets which budget it was': provided({ actions: { timeOut: raise({ type: 'abort.timeout', kind: 'run' } as Config) } }),
  'the grace lives on after running': edited((s) => { s.running.exit = without(s.running.exit, 'disarmGraceTimer'); }),
  'a user abort waits for a section that pauses (M17)': edited((s) => { s.running.on['abort.user'].guard = 'budgetsRun'; }),
  'a pause gives the run budget back whole': provided({ delays: { runMs: ({ context }: Asked) => context.input.budgets.timeoutMs } }),
  'the budgets go on in a section that pauses them': edited((s) => { s.running.on['section.entered'].shift(); }),
  'the first of two pauses that is left ends both': provided({ guards: { endsPause: ({ event }: Asked) => event.pausesBudgets === true } }),
  'progress ends the pause of the idle timer': edited((s) => { delete s.running.on['work.progressed'].guard; }),
};

export const BUGS: Record<string, () => AnyStateMachine> = {
  ...windowsAndSections,
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
  'the writer is not closed on leaving running (S5)': edited((s) => { delete s.running.states.working.exit; }),
  'the writer is closed after the work is told': edited((s) => {
    delete s.running.states.working.exit;
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
