/** Plays events into a machine by pure transitions, and checks a machine against the table. Knows no test runner. */
import { initialTransition, transition } from 'xstate';
import { pathOf, type Snapshot } from '../../machines/attempt.invariants.js';
import { commands } from '../../machines/attempt.actions.js';
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptInput } from '../../machines/attempt.types.js';
import { cases, eventTypes, inputOf, sampleOf, wayTo, type Case, type Happened } from './cases.js';
import { table, type Cell } from './table.js';

interface Acted { readonly type: string; readonly params?: unknown }

export interface Played {
  readonly snapshot: Snapshot;
  /** Commands of the last step. */
  readonly commands: readonly string[];
  /** Pending timers: short name to the event that fires. */
  readonly timers: ReadonlyMap<string, { type: string }>;
}

const shortName = (id: string): string => id.replace(/^xstate\.after\.(\w+)\..*/, '$1');

function follow(snapshot: Snapshot, actions: readonly Acted[], before: Played['timers']): Played {
  const timers = new Map(before);
  for (const { type, params } of actions) {
    const { id, sendId, delay, event } = (params ?? {}) as
      { id?: string; sendId?: string; delay?: number; event?: { type: string } };
    if (type === 'xstate.cancel') timers.delete(shortName(sendId!));
    if (type === 'xstate.raise' && delay !== undefined) timers.set(shortName(id ?? event!.type), event!);
  }
  return { snapshot, timers, commands: actions.map(({ type }) => type).filter((type) => type in commands) };
}

/**
 * `transition()` starts an actor each time, and works out anew where it would start: most of the time it takes. What
 * it starts from is not looked at, so here it is remembered.
 */
const logics = new WeakMap<AttemptMachine, AttemptMachine>();
function logicOf(machine: AttemptMachine, snapshot: Snapshot): AttemptMachine {
  const known = logics.get(machine);
  if (known) return known;
  const logic = Object.create(machine, { getInitialSnapshot: { value: () => snapshot } }) as AttemptMachine;
  logics.set(machine, logic);
  return logic;
}

export function begin(machine: AttemptMachine, input: AttemptInput): Played {
  const [snapshot, actions] = initialTransition(machine, input);
  return follow(snapshot as Snapshot, actions as readonly Acted[], new Map());
}

export function playOne(machine: AttemptMachine, from: Played, happened: Happened): Played {
  const event = 'timer' in happened ? from.timers.get(happened.timer) : happened;
  if (!event) throw new Error(`no timer ${JSON.stringify(happened)} in ${pathOf(from.snapshot.value)}`);
  const timers = new Map(from.timers);
  if ('timer' in happened) timers.delete(happened.timer);
  const [snapshot, actions] = transition(logicOf(machine, from.snapshot), from.snapshot as never, event as never);
  return follow(snapshot as Snapshot, actions as readonly Acted[], timers);
}

export const play = (machine: AttemptMachine, input: AttemptInput, events: readonly Happened[]): Played =>
  events.reduce((played, event) => playOne(machine, played, event), begin(machine, input));

const ignoringLate = (snapshot: Snapshot): string => JSON.stringify({ ...snapshot.context, lateAborts: 0 });

/** What happened, in the words of the table. */
function inWords(before: Played, after: Played, type: string): string {
  const [from, to] = [pathOf(before.snapshot.value), pathOf(after.snapshot.value)];
  const [was, is] = [before.snapshot.context, after.snapshot.context];
  const isOnlyLate = was.lateAborts.length + 1 === is.lateAborts.length;
  const named = after.commands.join(' ');
  if (from !== to || named) return named ? `${to} | ${named}` : to;
  const isElseAlike = ignoringLate(before.snapshot) === ignoringLate(after.snapshot);
  if (isOnlyLate && (type === 'lease.lost' || isElseAlike)) return 'late'; // A late loss is a fact too.
  return JSON.stringify(was) === JSON.stringify(is) ? '-' : 'fact';
}

export interface Mismatch { readonly where: string; readonly expected: string; readonly got: string }

const tidy = (text: string, state: string, type: string): string => {
  const cause = type === 'lease.lost' ? 'leaseLost' : type.replace('abort.', '');
  return text.replace('CAUSE', cause).replace('STATE', state).replace(/\s+/g, ' ').replace(/ \| ?$/, '');
};

const answered = (state: string, { context }: Snapshot): number =>
  state.startsWith('acquiring') ? context.request : context.seq;

type Arrive = (name: Case) => Played;

function checkCell(machine: AttemptMachine, arrive: Arrive, state: string, happening: string, cell: Cell): Mismatch[] {
  const expectations = typeof cell === 'string' ? { usual: cell } : cell;
  return (Object.entries(expectations) as [Case, string][]).flatMap(([name, expected]) => {
    const where = `${state} x ${happening} (${name})`;
    const want = tidy(expected, state, happening);
    try {
      const setting = cases[name];
      const arrived = arrive(name);
      const at = pathOf(arrived.snapshot.value);
      if (at !== state) return [{ where, expected: `to arrive in ${state}`, got: at }];
      const seq = 'seq' in setting ? setting.seq : answered(state, arrived.snapshot);
      const isTimer = happening.startsWith('after ');
      const event: Happened = isTimer ? { timer: happening.slice(6) } : sampleOf(happening as never, seq);
      const got = inWords(arrived, playOne(machine, arrived, event), happening);
      return got === want ? [] : [{ where, expected: want, got }];
    } catch (error) {
      return [{ where, expected: want, got: String(error) }];
    }
  });
}

/** Every cell of one row that the machine does not keep. */
export function checkRow(machine: AttemptMachine, state: string): Mismatch[] {
  const { on, after, timers } = table[state]!;
  const arrivals = new Map<Case, Played>(); // The way to a state is the same for all cells of a case.
  const arrive: Arrive = (name) => {
    const known = arrivals.get(name) ?? play(machine, inputOf(cases[name]), wayTo(state, cases[name]));
    arrivals.set(name, known);
    return known;
  };
  const running = (): string => [...arrive('usual').timers.keys()].sort().join(' ');
  return [
    ...eventTypes.flatMap((type) => checkCell(machine, arrive, state, type, on[type])),
    ...Object.entries(after).flatMap(([name, cell]) => checkCell(machine, arrive, state, `after ${name}`, cell)),
    ...orThrown(`${state}: timers`, timers.join(' '), running),
  ];
}

/** A mismatch where this is not what is expected; a machine that throws on the way is one too. */
function orThrown(where: string, expected: string, find: () => string): Mismatch[] {
  try {
    const got = find();
    return got === expected ? [] : [{ where, expected, got }];
  } catch (error) {
    return [{ where, expected, got: String(error) }];
  }
}
