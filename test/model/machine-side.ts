/**
 * The real machine, run by pure `transition()`, in the shape the reference can be compared with.
 * Owns: reading commands and timers off the actions XState returns. Must not know: what ought to happen.
 */
import { initialTransition, transition, type AnyStateMachine } from 'xstate';
import type { Fact, Given } from './reference.js';

interface Action { readonly type: string; readonly params?: unknown }
interface Raised { readonly id: string; readonly delay?: number; readonly event: { readonly type: string } }
interface Context { readonly unsettled: boolean; readonly clock: { readonly overdue: string | null } }
interface Armed { readonly id: string; readonly event: { readonly type: string }; readonly ms: number; readonly since: number }

const pathOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const [parent, child] = Object.entries(value as object)[0] as [string, unknown];
  return `${parent}.${pathOf(child)}`;
};

/** Limits that go on from state to state send events of their own. */
const LIMITS: Record<string, string> = { 'work.overran': 'timeoutMs', 'work.idled': 'idleTimeoutMs', 'grace.ended': 'graceMs' };

/** `xstate.after.settleMs.attempt.aborting` is the limit `settleMs`. */
const limitOf = (type: string): string => LIMITS[type] ?? (type.startsWith('xstate.after.') ? type.split('.')[2] as string : type);

export class MachineSide {
  readonly timers = new Map<string, Armed>();
  said: string[] = [];
  /** What was heard so far, for the story of a failure. */
  readonly #heard: { readonly state: string; readonly fact: Fact }[] = [];
  #snapshot;
  #step = 0;

  readonly machine: AnyStateMachine;

  constructor(machine: AnyStateMachine, readonly given: Given) {
    const [snapshot, actions] = initialTransition(machine, given);
    // transition() makes an actor each time, which works out where it would start: that took a third of the time.
    this.machine = Object.create(machine, { getInitialSnapshot: { value: () => snapshot } }) as AnyStateMachine;
    this.#snapshot = snapshot;
    this.#perform(actions);
  }

  get story(): string {
    return this.#heard.map(({ state, fact }) => `${state} hears ${JSON.stringify(fact)}`).join('\n  ');
  }
  get state(): string { return pathOf(this.#snapshot.value); }
  get unsettled(): boolean { return this.#context.unsettled; }
  get #context(): Context { return this.#snapshot.context as Context; }
  get outcome(): Record<string, unknown> | null {
    return this.#snapshot.status === 'done' ? this.#snapshot.output as Record<string, unknown> : null;
  }

  /** Hears a fact; a limit (its name ends in Ms) is heard as the event of the armed timer of that name. */
  hear(fact: Fact): void {
    this.#step += 1;
    this.said = [];
    this.#heard.push({ state: this.state, fact });
    const timer = this.timers.get(fact.type);
    if (timer) this.timers.delete(fact.type);
    else if (fact.type.endsWith('Ms')) return;
    if (this.#snapshot.status !== 'active') return;
    const [snapshot, actions] = transition(this.machine, this.#snapshot, timer?.event ?? fact);
    this.#snapshot = snapshot;
    this.#perform(actions);
  }

  /**
   * A timer that cannot do anything: a limit of "never" is none for the driver (machines/README, duty 8), and XState
   * arms the limit an edge's guard forbids: the other of patience and one try, and the budgets of the run once one of
   * them was put off. Such a one may be armed, and may fire, without any effect.
   */
  isDead(name: string): boolean {
    const { waitMs = 0 } = this.given.budgets;
    if (this.timers.get(name)?.ms === Infinity) return true;
    if (name === 'timeoutMs' || name === 'idleTimeoutMs') return this.#context.clock.overdue !== null;
    if (this.state !== 'acquiring.waiting' && this.state !== 'running.reacquiring.waiting') return false;
    return waitMs === 0 ? name === 'waitMs' : name === 'answerMs';
  }

  #perform(actions: readonly Action[]): void {
    for (const { type, params } of actions) {
      if (type === 'xstate.raise') this.#arm(params as Raised);
      else if (type === 'xstate.cancel') this.#disarm((params as { sendId: string }).sendId);
      else this.said.push(type);
    }
  }

  #arm({ id, delay, event }: Raised): void {
    if (delay === undefined) return; // raised and heard within the same step
    this.timers.set(limitOf(event.type), { id, event, ms: delay, since: this.#step });
  }

  #disarm(id: string): void {
    for (const [name, timer] of this.timers) if (timer.id === id) this.timers.delete(name);
  }
}
