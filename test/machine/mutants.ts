/**
 * Faulty machines, each one small edit away from ours, and each a mistake somebody has made or could make.
 * Owns: the edits. Must not know: which check finds them.
 */
import { createMachine } from 'xstate';
import { attemptMachine, type AttemptMachine } from '../../machines/attempt.machine.js';
import type { Habits } from '../../src/testing/explore/index.js';
import { sectionEdits, windowEdits } from './mutants-of-windows.js';

export type Config = { [key: string]: any }; // A machine's config by path: its type is too exact to be edited.
export interface Edit {
  readonly name: string;
  readonly config?: (states: Config) => void;
  readonly implement?: { guards?: Config; actions?: Config; delays?: Config };
}

const copyOf = (json: any): any => {
  if (Array.isArray(json)) return json.map(copyOf);
  if (json === null || typeof json !== 'object') return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, copyOf(value)]));
};

const own = attemptMachine.implementations as unknown as { guards: Config; actions: Config };

const edits: readonly Edit[] = [
  { name: 'a user abort of running work skips the release (M01)',
    config: ({ running }) => { running.on['abort.user'] = { target: 'released', actions: 'recordAbort' }; } },
  { name: 'a timeout abort of running work skips the release (M01)',
    config: ({ running }) => {
      running.on['abort.timeout'] = { target: 'released', actions: ['recordAbort', 'markAbandoned', 'callOnTimeout'] };
    } },
  { name: 'a cause has a way out of its own',
    config: ({ aborting }) => { aborting.states.user = { after: { settleMs: '#attempt.released' } }; } },
  { name: 'a cause swallows what its parent waits for',
    config: ({ aborting }) => { aborting.states.user = { on: { 'work.returned': {} } }; } },
  { name: 'a late grant is ignored while cancelling (M02)',
    config: ({ acquiring }) => { delete acquiring.states.cancelling.on['lock.granted']; } },
  { name: 'a late grant is ignored while releasing (M02)',
    config: ({ releasing }) => { delete releasing.on['lock.granted']; } },
  { name: 'a late grant is worked under (M04)',
    config: ({ acquiring }) => { acquiring.states.cancelling.on['lock.granted'].target = '#attempt.locked'; } },
  { name: 'an abort while waiting asks nobody to give back',
    config: ({ acquiring }) => { acquiring.states.waiting.on['abort.*'].target = '#attempt.released'; } },
  { name: 'a second abort overwrites the first (M18)',
    implement: { actions: { recordLateAbort: own.actions['recordAbort'] } } },
  { name: 'a late abort of finished work changes its outcome',
    config: ({ cleaning }) => { cleaning.on['abort.user'] = { actions: 'recordAbort' }; } },
  { name: '"unknown" to the request is taken for a yes',
    config: ({ acquiring }) => {
      acquiring.states.waiting.on['lock.unknown'].target = '#attempt.locked';
      acquiring.states.waiting.on['lock.unknown'].actions = 'recordGrant';
    } },
  { name: '"unknown" to the request is taken for a no',
    config: ({ acquiring }) => {
      acquiring.states.waiting.on['lock.unknown'].target = '#attempt.released';
      acquiring.states.waiting.on['lock.unknown'].actions = 'recordBusy';
    } },
  { name: '"unknown" to the release is taken for a yes (M06)',
    config: ({ releasing }) => {
      releasing.on['release.unknown'] = { guard: 'answersRelease', target: 'released', actions: 'recordReleased' };
      delete releasing.states.asking.on['release.unknown'];
    } },
  { name: 'a silent store is taken for a no',
    config: ({ acquiring }) => {
      acquiring.states.cancelling.after.answerMs = { target: '#attempt.released', actions: 'recordBusy' };
    } },
  { name: 'a lost lease is released (M06)', implement: { guards: { canRelease: own.guards['canEnd'] } } },
  { name: 'cleaning goes on under a lost lease', config: ({ cleaning }) => { delete cleaning.on['lease.lost']; } },
  { name: 'cleaning is entered under a lost lease',
    implement: { guards: { canCleanUp: (asked: any) => own.guards['canEnd'](asked) && asked.context.input.hasCleanup } } },
  { name: 'a loss while running is not an abort',
    config: ({ running }) => { running.on['lease.lost'] = { actions: 'recordLoss' }; } },
  { name: 'a loss while running is not believed',
    config: ({ running }) => { running.on['lease.lost'] = { target: 'aborting.leaseLost', actions: 'recordAbort' }; } },
  { name: 'a timeout\'s mark hangs on the user\'s edge (M18)',
    config: ({ running }) => { running.on['abort.user'].actions = ['recordAbort', 'markAbandoned']; } },
  { name: 'onTimeout hangs on the user\'s edge (M18)',
    config: ({ locked }) => { locked.on['abort.user'].actions = ['recordAbort', 'callOnTimeout']; } },
  { name: 'a timeout is reported as a user abort (M18)',
    config: ({ running }) => { running.on['abort.timeout'].target = 'aborting.user'; } },
  { name: 'the writer stays open when running is left (M09)',
    config: ({ running: { states: { working, yielding } } }) => {
      delete working.exit;
      yielding.entry = ['closeWriter', yielding.entry];
    } },
  { name: 'the cleanup\'s writer stays open', config: ({ cleaning }) => { delete cleaning.exit; } },
  { name: 'aborted work is not told (M03)', config: ({ aborting }) => { delete aborting.entry; } },
  { name: 'work is started twice',
    config: ({ running }) => { running.on['work.progressed'] = { target: 'running', reenter: true }; } },
  { name: 'a failed opening runs the work', config: ({ locked }) => { locked.after.openMs = { target: 'running' }; } },
  { name: 'work that never settles is waited for without end (M03)',
    config: ({ aborting }) => { delete aborting.after; } },
  { name: 'a cleanup that never ends is waited for without end (M03)',
    config: ({ cleaning }) => { delete cleaning.after; } },
  { name: 'a release is not asked for again (M06)', config: ({ releasing }) => { releasing.states.pausing = {}; } },
  { name: 'a release that gets no answer is asked for without end (M06)',
    config: ({ releasing }) => { delete releasing.after; } },
  { name: 'the lease\'s end is believed too early',
    config: ({ releasing }) => { releasing.after = { answerMs: releasing.after.leaseMs }; } },
  { name: 'a request nobody answers is waited for without end',
    config: ({ acquiring }) => { delete acquiring.states.cancelling.after; } },
  { name: 'a late grant counts answers to asks before it',
    implement: { guards: { answersRelease: ({ context, event }: any) => event.seq > context.request } } },
  { name: 'asks before a late grant are forgotten', implement: { actions: { beginReleasing: resetOf('asks') } } },
  { name: 'a late grant is not asked for with its full time',
    config: ({ releasing }) => {
      delete releasing.on['lock.granted'].reenter;
      releasing.on['lock.granted'].target = '.asking';
    } },
  { name: 'answers to other commands are believed', implement: { guards: { isAnswer: () => true } } },
  { name: 'a patience of Infinity ends at once',
    implement: { guards: { hasPatience: ({ context }: any) => context.input.budgets.waitMs > 0 } } },
  { name: 'no run budget ends at once', implement: { guards: { isOverdue: () => true } } },
  { name: 'hold does not hold',
    implement: { guards: { canEnd: ({ context }: any) => context.work !== 'pending' || context.unsettled } } },
  { name: 'hold holds what is lost',
    config: ({ aborting }) => { aborting.on['lease.lost'] = { actions: 'recordLateAbort' }; } },
  { name: 'going back to work after the release began (M04)',
    config: ({ releasing }) => { releasing.on['work.progressed'] = { target: 'running' }; } },
];

/** `beginReleasing` as it would be if it forgot more than which asks are its own. */
function resetOf(field: string): unknown {
  const begin = own.actions['beginReleasing'];
  const assignment = (args: unknown): object => ({ ...begin.assignment(args), [field]: 0 });
  return Object.assign((...args: unknown[]) => begin(...args), begin, { assignment });
}

function mutate({ config, implement }: Edit): AttemptMachine {
  const edited = copyOf(attemptMachine.config);
  config?.(edited.states);
  const base = attemptMachine.implementations as unknown as Config;
  return createMachine(edited, {
    ...base,
    guards: { ...base['guards'], ...implement?.guards },
    actions: { ...base['actions'], ...implement?.actions },
    delays: { ...base['delays'], ...implement?.delays },
  } as never) as unknown as AttemptMachine;
}

export interface Mutant {
  readonly name: string;
  readonly machine: AttemptMachine;
  /** What the work has to do before the fault shows. */
  readonly habits: Partial<Habits>;
}
export const mutants: readonly Mutant[] = [
  ...edits.map((edit) => ({ name: edit.name, machine: mutate(edit), habits: {} })),
  ...windowEdits.map((edit) => ({ name: edit.name, machine: mutate(edit), habits: { windows: true } })),
  ...sectionEdits.map((edit) => ({ name: edit.name, machine: mutate(edit), habits: { sections: true } })),
];

/**
 * Mutants that break no invariant, so no walk can find them; the table does. A lease that is not asked back twice still
 * ends by itself; an answer with another number is one a driver that keeps its duties never sends, and the answer to a
 * stray ask is as true as one to the last.
 */
export const onlyTheTableTells: readonly string[] = [
  'a release is not asked for again (M06)',
  'a late grant counts answers to asks before it', 'answers to other commands are believed',
];

/** Ours, taken apart and put together like the mutants: what is found in it would be the fault of that. */
export const unmutated: AttemptMachine = mutate({ name: 'none' });
