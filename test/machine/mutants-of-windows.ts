/**
 * Faulty machines, as in mutants.ts: those that only work with yield windows or delicate sections shows.
 * Owns: the edits. Must not know: which check finds them.
 */
import { attemptMachine } from '../../machines/attempt.machine.js';
import type { Config, Edit } from './mutants.js';

const own = attemptMachine.implementations as unknown as { guards: Config };
const without = (list: readonly string[], name: string): string[] => list.filter((one) => one !== name);
const { isFinite } = Number;

export const windowEdits: readonly Edit[] = [
  { name: 'a window that ends after an abort takes the lock back (M04)',
    config: ({ aborting }) => { aborting.on['window.ended'] = '#attempt.running.reacquiring'; } },
  { name: 'an abort inside a window is forgotten (M04)',
    config: ({ running }) => { running.states.yielded.on['abort.user'] = {}; } },
  { name: 'a late second grant is kept until the work settles',
    config: ({ aborting }) => { aborting.on['lock.granted'].actions = ['recordGrant']; } },
  { name: 'a late second grant is not heard', config: ({ aborting }) => { delete aborting.on['lock.granted']; } },
  { name: 'cleaning is entered under a lock that is being given back',
    implement: { guards: { canCleanUp: ({ context }: any) => own.guards['canEnd']({ context })
      && ['held', 'known'].includes(context.lock) && context.input.hasCleanup && context.work !== 'none' } } },
  { name: 'an answer about the first grant is taken for one about the second',
    implement: { guards: { answersRelease: ({ context, event }: any) =>
      context.firstAsk > 0 && event.seq > 0 && event.seq <= context.seq } } },
  { name: 'a window that is lost forgets what it asked for',
    implement: { guards: { canRelease: ({ context }: any) =>
      own.guards['canEnd']({ context }) && ['held', 'known'].includes(context.lock) } } },
  { name: 'the writer stays open in a window (M09)',
    config: ({ running }) => {
      delete running.states.working.exit;
      running.exit = [...running.exit, 'closeWriter'];
    } },
  { name: 'a window is opened before the lock is given up',
    config: ({ running }) => { running.states.working.on['lock.yield'] = 'yielded'; } },
  { name: '"unknown" to the release before a window is taken for a yes (M06)',
    config: ({ running: { states: { yielding } } }) => {
      yielding.on['release.unknown'] = { guard: 'answersRelease', target: 'yielded', actions: 'recordReleased' };
      delete yielding.states.asking.on['release.unknown'];
    } },
  { name: 'a loss that shows on giving back for a window is taken for a release',
    config: ({ running: { states: { yielding } } }) => {
      yielding.on['release.notHeld'] = { guard: 'answersRelease', target: 'yielded', actions: 'recordReleased' };
    } },
  { name: 'a lock that is not given back for a window is waited for without end',
    config: ({ running }) => { delete running.states.yielding.after; } },
  { name: 'work goes on after a window though the lock is busy',
    config: ({ running: { states: { reacquiring } } }) => {
      reacquiring.states.waiting.on['lock.busy'] =
        { guard: 'answersRequest', target: '#attempt.running.working', actions: ['recordBusy', 'resumeWork'] };
    } },
  { name: 'work goes on after a window before the session is open',
    config: ({ running: { states: { reacquiring } } }) => {
      reacquiring.states.opening.after.openMs = { target: '#attempt.running.working', actions: 'resumeWork' };
    } },
];

export const sectionEdits: readonly Edit[] = [
  { name: 'a section puts off each budget (M17)',
    implement: { guards: {
      isOverdue: ({ context: { input: { budgets } } }: any) => isFinite(budgets.timeoutMs),
      mayPutOff: ({ context: { input: { budgets }, clock } }: any) =>
        isFinite(budgets.timeoutMs) && clock.sections.some(({ graceMs }: any) => graceMs > 0),
    } } },
  { name: 'the end of the grace is not heard (M17)', config: ({ running }) => { running.on['grace.ended'] = {}; } },
  { name: 'leaving the section forgets the budget that was put off (M17)',
    config: ({ running }) => {
      running.on['section.left'] = [
        { guard: 'endsGrace', actions: ['recordSectionEnd', 'disarmGraceTimer'] }, ...running.on['section.left'].slice(1),
      ];
    } },
  { name: 'the timer of the grace is left armed',
    config: ({ running }) => { running.exit = without(running.exit, 'disarmGraceTimer'); } },
  { name: 'the idle timer is left armed',
    config: ({ running }) => { running.exit = without(running.exit, 'disarmIdleTimer'); } },
  { name: 'a pause never ends',
    config: ({ running }) => { running.on['section.left'][1].actions = ['recordSectionEnd']; } },
  { name: 'the idle budget stands still for ever after a pause',
    config: ({ running }) => { running.on['section.left'][1].actions = ['recordSectionEnd', 'armRunTimer']; } },
  { name: 'a user abort is put off by a section (M17)',
    config: ({ running }) => {
      const isIn = ({ context }: any): boolean => context.clock.sections.length > 0;
      running.on['abort.user'] = [{ guard: isIn, actions: 'recordOverdue' }, running.on['abort.user']];
    } },
];
