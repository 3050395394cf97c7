/**
 * The machine's own steps, each taken once: a step depends on (value, context, event) alone, so it is remembered.
 * Owns: numbering of states, timers as `transition()` schedules them, the checks that need one step only.
 * Must not know: the store, or how a state was reached.
 */
import { initialTransition, transition } from 'xstate';
import {
  invariants, pathOf, withoutCause, type Command, type Happening, type History, type Snapshot, type World,
} from '../../../machines/attempt.invariants.js';
import { commands } from '../../../machines/attempt.actions.js';
import type { AttemptMachine } from '../../../machines/attempt.machine.js';
import type { AttemptInput } from '../../../machines/attempt.types.js';
import { boundless } from './budgets.js';
import { hear, newDriver, perform, somebodyRenews, type Driver } from './driver.js';
import { forgetWhatNobodyReads } from './forgotten.js';

export interface Timer {
  readonly id: string;
  readonly event: Happening;
  readonly delay: number;
  /** As long as a lease, and begun when nobody renewed: unless one was granted since, no lease is alive when it fires. */
  readonly outlastsLease: boolean;
}
export interface AttemptState {
  readonly snapshot: Snapshot;
  /** Sorted by id. */
  readonly timers: readonly Timer[];
  readonly driver: Driver;
}
export interface Finding {
  readonly id: string;
  readonly what: string;
}
export interface Step {
  readonly to: number;
  readonly commands: readonly Command[];
  readonly findings: readonly Finding[];
  /** A timer as long as a lease was started: a lease not renewed from here on has ended when it fires. */
  readonly startsLongTimer: boolean;
  readonly isRenewing: boolean;
  /** The ask for release in this step: the first of its kind, a repeated one, or one that makes others stray. */
  readonly ask: 'none' | 'first' | 'again' | 'instead';
}

interface Action {
  readonly type: string;
  readonly params?: unknown;
}
type Actions = readonly Action[];

/** More commands than this in one attempt, and it is going round in circles. */
const MOST_COMMANDS = 24;

const stepChecks = invariants.filter(({ decidedBy }) => decidedBy === 'step');
const NO_WORLD: World = { grant: 'none', requestOpen: false };

/** What a walk needs of the states. */
export interface Steps {
  readonly input: AttemptInput;
  readonly first: number;
  at(id: number): AttemptState;
  /** The step this move makes from this state; asks for the move's event only when it was not taken before. */
  step(from: number, move: number, eventIn: EventIn): Step;
}
/** The event of a move, in the state it is made from. */
export type EventIn = (state: AttemptState) => Happening;

export class AttemptStates implements Steps {
  readonly #states: AttemptState[] = [];
  readonly #ids = new Map<string, number>();
  readonly #steps: Step[][] = [];
  readonly #kinds = new Map<string, number>();
  readonly #kindOf: number[] = [];
  readonly #ways = new Map<string, { way: string; event: string }>();
  /** What was violated in any step taken so far, by invariant. */
  readonly findings = new Map<string, Finding>();
  /** `transition()` starts an actor each time; this one does not have to work out where it would start. */
  readonly #logic: AttemptMachine;
  readonly first: number;
  transitions = 0;

  constructor(machine: AttemptMachine, readonly input: AttemptInput, readonly lateAborts: number) {
    const [snapshot, actions] = initialTransition(machine, input);
    this.#logic = Object.create(machine, { getInitialSnapshot: { value: () => snapshot } }) as AttemptMachine;
    this.first = this.#intern({ snapshot, timers: keepTimers([], actions as Actions, Infinity), driver: newDriver });
  }

  get size(): number {
    return this.#states.length;
  }

  at(id: number): AttemptState {
    return this.#states[id]!;
  }

  /** States that only the causes of their aborts tell apart are of one kind. */
  kindOf(id: number): number {
    return this.#kindOf[id]!;
  }

  step(from: number, move: number, eventIn: EventIn): Step {
    const known = this.#steps[from]![move];
    if (known) return known;
    const event = eventIn(this.at(from));
    const step = this.#isTooLate(from, event) ? this.#stay(from) : this.#take(from, event);
    this.#steps[from]![move] = step;
    return step;
  }

  /** Enough late aborts have been sent. Each is recorded alike, and all of them would be 326 orders of a record. */
  #isTooLate(from: number, event: Happening): boolean {
    const { abort, failure, lateAborts } = this.at(from).snapshot.context;
    return event.type.startsWith('abort.') && Boolean(abort ?? failure) && lateAborts.length >= this.lateAborts;
  }

  #stay(from: number): Step {
    const { driver } = this.at(from);
    const nothing = { commands: [], findings: [], startsLongTimer: false, ask: 'none' } as const;
    return { ...nothing, to: from, isRenewing: somebodyRenews(driver) };
  }

  #take(from: number, event: Happening): Step {
    const before = this.at(from);
    const [raw, allActions] = transition(this.#logic, before.snapshot as never, event as never);
    this.transitions += 1;
    const actions = allActions as Actions;
    const named = actions.map(({ type }) => type).filter((type): type is Command => type in commands);
    const snapshot = forgetWhatNobodyReads(raw as Snapshot, named);
    const heard = hear(before.driver, event);
    const performed = named.reduce((d, name) => perform(d, name, snapshot.context.seq), heard);
    const driver = this.#forgetSection(performed, snapshot);
    const isRenewing = somebodyRenews(driver);
    const timers = keepTimers(before.timers.filter((timer) => timer.event !== event), actions,
      isRenewing ? Infinity : this.input.budgets.leaseMs);
    const asked = named.includes('askRelease');
    const isInstead = asked && driver.straySeq !== before.driver.straySeq;
    const isAsItWas = actions.length === 0 && driver === before.driver && timers.length === before.timers.length
      && snapshot.context === before.snapshot.context && pathOf(snapshot.value) === pathOf(before.snapshot.value);
    const now = isAsItWas ? before : { snapshot, timers, driver };
    const to = isAsItWas ? from : this.#intern(now);
    return {
      to,
      commands: named,
      findings: this.#check(from, { ...now, snapshot: raw as Snapshot }, to, event, named),
      startsLongTimer: actions.some((action) => delayOf(action) >= this.input.budgets.leaseMs),
      isRenewing,
      ask: !asked ? 'none' : isInstead ? 'instead' : before.driver.asks > 0 ? 'again' : 'first',
    };
  }

  /** Sections matter while the work runs (see forgotten.ts): what ends later ends unheard. */
  #forgetSection(driver: Driver, { value }: Snapshot): Driver {
    return driver.section === 'none' || pathOf(value).startsWith('running') ? driver : { ...driver, section: 'none' };
  }

  /** @param now as the step made it: nothing forgotten, and every object the very one the step kept or made */
  #check(from: number, now: AttemptState, to: number, event: Happening, named: readonly Command[]): Finding[] {
    const before = this.at(from);
    const history: History = {
      ...now.driver, before: before.snapshot, event, commands: named,
      releaseBegun: before.driver.asks > 0,
    };
    const findings = stepChecks.flatMap(({ id, check }) => {
      const what = check!(now.snapshot, history, NO_WORLD);
      return what === null ? [] : [{ id, what }];
    });
    const timer = before.timers.find((one) => one.event === event);
    if (timer?.delay === Infinity && withoutTimers(before) !== withoutTimers(now)) {
      findings.push({ id: 'L1', what: `${timer.id}: a limit of "never" was over` });
    }
    if (now.snapshot.context.seq > MOST_COMMANDS) findings.push({ id: 'L7', what: 'goes round in circles' });
    findings.push(...boundless(before, now, this.input));
    const cause = this.#checkCause(from, to, event, named);
    if (cause) findings.push(cause);
    for (const finding of findings) if (!this.findings.has(finding.id)) this.findings.set(finding.id, finding);
    return findings;
  }

  /** S18: two steps that differ only in who aborted must give back in the same way. */
  #checkCause(from: number, to: number, event: Happening, named: readonly Command[]): Finding | null {
    const kind = event.type.startsWith('abort.') ? 'abort' : JSON.stringify(event);
    const question = `${this.kindOf(from)} ${kind}`;
    const way = `${this.kindOf(to)} ${named.filter((name) => name !== 'callOnTimeout').join(' ')}`;
    const other = this.#ways.get(question);
    if (!other) this.#ways.set(question, { way, event: event.type });
    if (!other || other.way === way) return null;
    return { id: 'S18', what: `${event.type} gives back in another way for one cause than for another` };
  }

  #intern(state: AttemptState): number {
    const kind = this.#kindFor(state);
    const { snapshot: { value, context: { abort, lateAborts, abandoned } }, driver: { timeoutCalls } } = state;
    const cause = abort ? JSON.stringify(abort) : '';
    const key = `${kind} ${pathOf(value)} ${cause} ${lateAborts.join()} ${abandoned} ${timeoutCalls}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#states.push(state) - 1;
    this.#ids.set(key, id);
    this.#steps.push([]);
    this.#kindOf.push(kind);
    return id;
  }

  /** All that a state is, but for what only the causes of its aborts tell: those `#intern` adds. */
  #kindFor({ snapshot, timers, driver }: AttemptState): number {
    const delays = timers.map(({ id, delay, outlastsLease }) => `${id} ${delay} ${outlastsLease}`);
    const facts = { ...withoutCause(snapshot) as object, input: null };
    const key = JSON.stringify([snapshot.status, facts, delays, { ...driver, timeoutCalls: null }]);
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    this.#kinds.set(key, this.#kinds.size);
    return this.#kinds.size - 1;
  }
}

/** What tells two snapshots of one attempt apart; the budgets it was given do not. */
const factsOf = ({ value, context, status }: Snapshot): unknown => [value, { ...context, input: null }, status];

const withoutTimers = ({ snapshot }: AttemptState): string => JSON.stringify(factsOf(snapshot));

const delayOf = (action: Actions[number]): number =>
  action.type === 'xstate.raise' ? (action.params as { delay?: number }).delay ?? -1 : -1;

/** The timers pending after these actions, read from what XState itself would schedule and cancel. */
function keepTimers(pending: readonly Timer[], actions: Actions, outlastsFromMs: number): readonly Timer[] {
  const timers = new Map(pending.map((timer) => [timer.id, timer]));
  for (const action of actions) {
    if (action.type === 'xstate.cancel') timers.delete((action.params as { sendId: string }).sendId);
    if (delayOf(action) < 0) continue;
    const { id = event(action).type, delay } = action.params as { id?: string; delay: number };
    timers.set(id, { id, event: event(action), delay, outlastsLease: delay >= outlastsFromMs });
  }
  return [...timers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const event = ({ params }: Action): Happening => (params as { event: Happening }).event;
