/**
 * Runs the machine: feeds it facts, keeps its time, and hands out its commands after each transition, in order.
 *
 * Commands are performed only when the transition that named them is over, so whatever a command calls (the work,
 * a store, a callback) may come back with events at once and finds the machine in its new state. A command that
 * such an event names is performed after the one under way. Nothing here knows what a command does.
 *
 * Whoever only looks on (subscribers, `inspect`) is told when all commands so far have been performed: an onlooker
 * that aborts must not come between a transition and its commands.
 */
import { createActor, type ActorRefFrom, type InspectionEvent } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { commands } from '../../machines/attempt.actions.js';
import type { AttemptContext, AttemptEvent, AttemptInput, AttemptOutput } from '../../machines/attempt.types.js';
import type { Clock } from '../clock.js';
import type { Watch } from '../trace/watch.js';
import { callSafely } from '../warnings.js';
import { Timers } from './timers.js';

export type Command = keyof typeof commands;

/** What the engine tells its host. */
export interface EngineHost {
  /** Do what the command says. `seq` is the number its answer has to carry. Must not throw. */
  perform(command: Command, seq: number): void;
  /** The machine changed its state. */
  moved(from: string, to: string, event: string): void;
  /** The machine has reached its end and every command has been performed. */
  ended(output: AttemptOutput): void;
}

/** Where an actor keeps its engine. A WeakMap of all of them would be gone through with every collection of garbage. */
const ENGINE = Symbol('engine');

type Actor = ActorRefFrom<typeof attemptMachine> & { [ENGINE]?: Engine };

/** An XState that asks this clock goes past our timers: better a loud end than a limit of Infinity that is over at once. */
const NOT_ASKED = {
  setTimeout(): never { throw new Error('attempt-lifecycle: expected XState to keep its timers in system.scheduler; use xstate 5.33'); },
  clearTimeout(): void {},
};

/** Commands are provided once for all, since providing costs more than an attempt. */
const driven = attemptMachine.provide({
  actions: Object.fromEntries(
    (Object.keys(commands) as Command[]).map((command) => [
      command,
      ({ self, context }: { self: object; context: AttemptContext }) =>
        (self as Actor)[ENGINE]?.queue(command, context.seq),
    ]),
  ),
});

// XState tells nobody which event a timer was; the trace wants to say so ("settleMs").
const transition = driven.transition.bind(driven);
driven.transition = (snapshot, event, scope) => {
  (scope.self as Actor)[ENGINE]?.note(event as AttemptEvent);
  return transition(snapshot, event, scope);
};

/** A state as a path: `aborting.user`. */
export function pathOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[parent, child]] = Object.entries(value as object) as [[string, unknown]]; // of our states none is parallel
  return `${parent}.${pathOf(child)}`;
}

/** `xstate.after.settleMs.attempt.aborting` is the limit `settleMs`; every other event keeps its name, of two parts at most. */
const nameOf = (type: string): string => type.split('.')[2] ?? type;

export class Engine {
  readonly #actor: Actor;
  readonly #host: EngineHost;
  readonly #commands: { command: Command; seq: number }[] = [];
  readonly #news: (() => void)[] = [];
  #draining = false;
  #ended = false;
  #state = 'idle';
  /** The transition under way: its event, and how many commands had been named before it. */
  #event: AttemptEvent | null = null;
  #named = 0;
  readonly #watch: Watch;

  constructor(
    input: AttemptInput, clock: Clock, host: EngineHost, watch: Watch, inspect?: (event: InspectionEvent) => void,
  ) {
    this.#host = host;
    this.#watch = watch;
    this.#actor = createActor(driven, {
      input, clock: NOT_ASKED,
      ...(inspect && {
        inspect: (event: InspectionEvent) => {
          this.#news.push(() => callSafely('inspect', () => inspect(event)));
        },
      }),
    });
    this.#actor[ENGINE] = this;
    this.#actor.system.scheduler = new Timers(clock, () => this.#afterTransition());
    this.#actor.start();
    this.#drain();
  }

  /** Where the machine is, as a path. */
  get state(): string {
    return this.#state;
  }

  get context(): AttemptContext {
    return this.#actor.getSnapshot().context;
  }

  /** Report a fact or pass on a request. After the end nothing is heard any more. */
  dispatch(event: AttemptEvent): void {
    if (this.#actor.getSnapshot().status !== 'active') return; // XState would not hear it either, but may complain
    this.#actor.send(event);
    this.#afterTransition();
  }

  /** Has something told to those who look on, as soon as no command is waiting. `fn` must not throw. */
  tell(fn: () => void): void {
    this.#news.push(fn);
    this.#drain();
  }

  /** @internal A command was named by the transition under way. */
  queue(command: Command, seq: number): void {
    this.#commands.push({ command, seq });
  }

  /** @internal The event of the transition under way. */
  note(event: AttemptEvent): void {
    this.#event = event;
    this.#named = this.#commands.length;
  }

  #afterTransition(): void {
    const to = pathOf(this.#actor.getSnapshot().value);
    const from = this.#state;
    const event = this.#event;
    this.#event = null; // a timer that was cancelled meanwhile makes no transition
    if (event) {
      this.#watch.step(event, from, to, () => this.#commands.slice(this.#named).map(({ command }) => command), this.context,
        (fn) => this.#news.push(fn));
      if (to !== from) {
        this.#state = to;
        this.#host.moved(from, to, nameOf(event.type));
      }
    }
    this.#drain();
  }

  #drain(): void {
    if (this.#draining) return; // Somebody below us is at it and will come to the new commands in their order.
    this.#draining = true;
    for (;;) {
      const next = this.#commands.shift();
      if (next) {
        this.#host.perform(next.command, next.seq);
        continue;
      }
      const news = this.#news.shift();
      if (!news) break;
      news();
    }
    this.#draining = false;
    const snapshot = this.#actor.getSnapshot();
    if (snapshot.status === 'done' && !this.#ended) {
      this.#ended = true;
      this.#watch.ended(snapshot.output as AttemptOutput);
      this.#host.ended(snapshot.output as AttemptOutput);
    }
  }
}
