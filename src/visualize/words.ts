/**
 * The reader's words for the machine's names. A name without an entry is shown as it is, spaced: a new
 * event never goes missing from the picture, it only reads a little rougher until somebody words it.
 * Must not know: positions, colours.
 */
import type { Arrow } from './arrows.js';
import type { State, Transition } from './graph.js';

/** Events; where the state makes it another story, the state is part of the key. */
const events: Readonly<Record<string, string>> = {
  'acquiring.cancelling lock.granted': 'granted, late',
  'releasing lock.granted': 'granted, late',
  'start': 'start',
  'abort.*': 'any abort',
  'abort.user': 'stop (user)',
  'abort.timeout': 'timeout',
  'abort.shutdown': 'shutdown',
  'abort.superseded': 'superseded',
  'lock.granted': 'granted',
  'lock.busy': 'busy',
  'lock.unknown': 'no clear answer',
  'work.returned': 'work returned',
  'work.threw': 'threw',
  'lease.lost': 'lease lost',
  'session.opened': 'opened',
  'session.failed': 'opening failed',
  'release.confirmed': 'confirmed',
  'release.notHeld': 'not held',
  'release.unknown': 'no clear answer',
  'work.progressed': 'progress',
  'work.overran': 'run budget over',
  'work.idled': 'idle too long',
  'grace.ended': 'grace over',
  'lock.yield': 'yield',
  'cleanup.ended': 'cleanup ended',
  'cleanup.failed': 'cleanup failed',
};

/** Delays; where one delay serves two guards the guard decides what it means. */
const delays: Readonly<Record<string, string>> = {
  waitMs: 'wait is over',
  'answerMs isOneTry': 'one try is over',
};

const guards: Readonly<Record<string, string>> = {
  canCleanUp: 'a cleanup to run',
  canRelease: 'lock held',
  canEnd: 'lock gone',
  isNews: '(first ask)',
  mayPutOff: 'in a section',
  beginsPause: 'pausing budgets',
  endsPause: 'that paused budgets',
  endsGrace: 'a budget waits for',
};
/** Guards that only say "if it is meant for us" or "else" are not worth a reader's time. */
const shownGuards: readonly string[] = ['isNews', 'mayPutOff', 'beginsPause', 'endsPause', 'endsGrace'];

/**
 * What a driver is told to do, and what a reader cares about. Bookkeeping (the records) stays out of the
 * boxes.
 */
const doings: Readonly<Record<string, string>> = {
  requestLock: 'request the lock',
  cancelRequest: 'cancel request',
  openSession: 'open the session',
  endOpening: 'end the opening',
  startWork: 'start work',
  runWindow: 'the window runs',
  resumeWork: 'work goes on',
  closeWriter: 'close writer',
  tellWork: 'tell the work',
  callOnTimeout: 'onTimeout called',
  markAbandoned: 'run marked abandoned if work had started',
  runCleanup: 'run the cleanup',
  endCleanup: 'end the cleanup',
  askRelease: 'ask for release',
  armRunTimer: 'run timer on',
  disarmRunTimer: 'run timer off',
  armIdleTimer: 'idle timer on',
  disarmIdleTimer: 'idle timer off',
  armGraceTimer: 'put off once',
  timeOut: 'raises timeout',
  recordSection: 'noted',
  recordSectionEnd: 'noted',
  recordReturn: 'recorded',
  recordThrow: 'recorded',
  recordUnsettled: 'unsettled',
  recordLateAbort: 'a late abort',
  recordLoss: 'lock gone',
};

/** On an edge these are worth their ink: they are what one abort does and another does not. */
const shownOnArrows: readonly string[] = ['callOnTimeout', 'markAbandoned', 'resumeWork'];

const wayIn: Readonly<Record<string, string>> = {
  running: 'work returned or threw',
  aborting: 'the one way out',
};
export const WAY_OUT_ASKS = ['nothing left to wait for:', 'the first that holds'] as const;
export const WAY_OUT_CAPTION = 'asks about work and lease, never who aborted';

/** `work.idled` -> `work idled`, `recordLoss` -> `record loss`. */
const spaced = (name: string): string =>
  name.replaceAll('.', ' ').replace(/[a-z][A-Z]/g, ([a, b]) => `${a} ${b?.toLowerCase()}`);

const doing = (name: string): string | undefined => doings[name];
const all = (names: readonly string[]): string[] => names.flatMap((name) => doing(name) ?? []);

/** What is done, for a reader: bookkeeping is left out, and nothing is said twice. */
export const doingWords = (names: readonly string[]): string[] => [...new Set(all(names))];

export function triggerWords(one: Transition): string {
  if (one.kind === 'always') return guards[one.guard ?? ''] ?? spaced(one.guard ?? 'at once');
  const { source, trigger, guard } = one;
  if (one.kind === 'after') return delays[`${trigger} ${guard}`] ?? delays[trigger] ?? `${trigger} over`;
  const asked = guard !== null && shownGuards.includes(guard) ? ` ${guards[guard]}` : '';
  return `${events[`${source} ${trigger}`] ?? events[trigger] ?? spaced(trigger)}${asked}`;
}

/** One line of text an edge can be read by: what triggers it and what only it does. */
function withDoings(one: Transition): string {
  const shown = one.actions.filter((name) => shownOnArrows.includes(name));
  const what = [...all(shown), ...(one.reenter ? ['start over'] : [])].join('; ');
  return what === '' ? triggerWords(one) : `${triggerWords(one)}: ${what}`;
}

/**
 * Its place among the guarded targets of one trigger, which its id carries: the first that holds is taken.
 */
const nthOf = (one: Transition): string => / (\d+)$/.exec(one.id)?.[1] ?? '1';

/** What stands beside an arrow, a line for each transition it carries. */
export function arrowWords(arrow: Arrow): string[] {
  if (arrow.kind === 'fan') return ['any abort, by the five causes below'];
  if (arrow.kind === 'intoWay') return [wayIn[arrow.from] ?? 'as soon as it can'];
  // All who share the way out have the same list: one of them speaks, with its place in it, which decides.
  const [first] = arrow.transitions;
  if (arrow.kind === 'outOfWay' && first) return [`${nthOf(first)}. ${triggerWords(first)}`];
  const said = arrow.transitions;
  const lines = said.map((one) => withDoings(one));
  // "any abort" goes first: what one of them does besides is an addition to it.
  const general = said.findIndex((one) => one.trigger.endsWith('.*'));
  return general > 0 ? [lines[general]!, ...lines.filter((_, nth) => nth !== general)] : lines;
}

export interface StateWords {
  /** What is done on the way in and out. */
  readonly doings: readonly string[];
  /** What it answers without leaving; answers that do the same share a line. */
  readonly answers: readonly string[];
}

export function stateWords(state: State, internal: readonly Transition[]): StateWords {
  const byDoing = new Map<string, string[]>();
  for (const one of internal.filter(({ source }) => source === state.path)) {
    const what = all(one.actions).join('; ');
    byDoing.set(what, [...(byDoing.get(what) ?? []), triggerWords(one)]);
  }
  const entry = all(state.entry).join(', ');
  const exit = all(state.exit).join(', ');
  return {
    doings: [...(entry ? [`in: ${entry}`] : []), ...(exit ? [`out: ${exit}`] : [])],
    answers: [...byDoing].map(([what, triggers]) => triggers.join(', ') + (what && `: ${what}`)),
  };
}

/** In the machine's own names: `after waitMs [hasPatience] / recordPatienceOver`. */
export function exactLabel(one: Transition): string {
  const trigger = { event: one.trigger, after: `after ${one.trigger}`, always: 'always' }[one.kind];
  const guard = one.guard ? ` [${one.guard}]` : '';
  const actions = one.actions.length > 0 ? ` / ${one.actions.join(', ')}` : '';
  return `${trigger}${guard}${actions}${one.reenter ? ' (reenters)' : ''}`;
}

/** The same with its two ends, for whoever hovers. */
export const exactWords = (one: Transition): string =>
  `${one.source || 'anywhere'}${one.target === null ? '' : ` -> ${one.target}`}: ${exactLabel(one)}`;
