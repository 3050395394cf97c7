/**
 * An attempt as an XState actor, to `invoke` or to `spawn`. The actor only shows the attempt and passes on what its
 * parent wants; the attempt itself runs outside of it, because XState runs no exit actions when an actor is stopped, and
 * swallows what arrives after a state was left. Whatever becomes of the actor, the attempt gives its lock back.
 * Must not know: how an attempt is run.
 */
import type { ActorLogic, ActorRef, ActorSystem, AnyActorRef, Snapshot } from 'xstate';
import { createAttempt, type Attempt } from '../attempt.js';
import type { AttemptSnapshot } from '../driver/driver.js';
import { enclosing, runInside, type Enclosing } from '../driver/nesting.js';
import { isRequester } from '../option-checks.js';
import type { AbortRequester, AttemptOptions } from '../options.js';
import type { AttemptReport } from '../report.js';
import { lostInRestoring } from './restored-report.js';

/** What the actor can be told, by anybody who has it. Aborts; the first one decides, as in the machine itself. */
export type AttemptActorEvent = { readonly type: `abort.${AbortRequester}`; readonly reason?: unknown };

/** Heard with `actor.on('attempt.changed', ...)`: every transition, note and doubt of the attempt. */
export interface AttemptActorEmitted {
  type: 'attempt.changed';
  snapshot: AttemptSnapshot;
}

type AnyActorSystem = ActorSystem<any>; // as XState names it, without exporting the name

/** The actor's snapshot. Its `output` is the report; it is `error` only for a programmer's error (`CONFIG_INVALID`). */
export type AttemptActorSnapshot<T, TInput> = Snapshot<AttemptReport<T>> & {
  readonly input: TInput | undefined;
  /** What can be seen of the attempt; null before the actor is started. */
  readonly attempt: AttemptSnapshot | null;
};

export type AttemptActorLogic<T, TInput> =
  ActorLogic<AttemptActorSnapshot<T, TInput>, AttemptActorEvent, TInput, AnyActorSystem, AttemptActorEmitted>;

/** The options of the attempt, or a function that makes them from the `input` the actor was given. */
export type AttemptActorOptions<T, TInput> =
  | AttemptOptions<T>
  | ((facts: { readonly input: TInput; readonly self: AnyActorRef; readonly system: AnyActorSystem }) => AttemptOptions<T>);

/** What the actor tells itself. */
type Told<T> =
  | { readonly type: 'attempt.changed'; readonly snapshot: AttemptSnapshot }
  | { readonly type: 'attempt.ended'; readonly report: AttemptReport<T> }
  | { readonly type: 'attempt.refused'; readonly error: unknown }
  | { readonly type: 'xstate.stop' }; // XState's own, sent to every actor that is stopped (its actors/callback)

type Self<T, TInput> = ActorRef<AttemptActorSnapshot<T, TInput>, AttemptActorEvent, AttemptActorEmitted>;

/** The attempts of actors that are running. */
const running = new WeakMap<object, { readonly attempt: Attempt<unknown>; leave(): void }>();

/** Where the first attempt of a system was started from. See `startedFrom`. */
const outside = new WeakMap<object, Enclosing | null>();

/** Who asks for an abort with this event; null for any other event. */
function requesterOf({ type }: { readonly type: string }): AbortRequester | null {
  const by = type.startsWith('abort.') ? type.slice('abort.'.length) : null;
  return isRequester(by) ? by : null;
}

/**
 * Who ends the attempt of an actor that is being stopped. Every actor above it that is stopped with it has been marked so
 * by now; where one of them lives on (or came to its own end), it did not want the attempt any more.
 */
function whoStops(self: { readonly _parent?: AnyActorRef }): AbortRequester {
  let above = self._parent;
  while (above?.getSnapshot().status === 'stopped') above = above._parent;
  return above ? 'superseded' : 'shutdown';
}

/**
 * A transition may be taken from inside the work of an attempt (it reports something, and its parent moves on). What the
 * parent then starts is not started by that work, nor waited for by it, and must not be taken for nested: attempts of one
 * system count as started from wherever the first one was.
 */
function startedFrom(system: AnyActorSystem): Enclosing | null {
  const known = outside.get(system);
  if (known !== undefined) return known;
  const here = enclosing();
  outside.set(system, here);
  return here;
}

/**
 * Actor logic that runs one attempt.
 *
 * The actor ends with the report as its output, for every outcome of the attempt; `onError` hears of a bad option alone.
 * It can be told `abort.user`, `abort.timeout`, `abort.shutdown` and `abort.superseded`: a parent that wants the report
 * sends one of these and stays until `onDone`. A parent that leaves instead aborts the attempt as `superseded`, and one
 * that is stopped (or whose own ancestors all are) as `shutdown`; nobody is then left to hear the report, which still
 * goes to the option `dispose`, after the lock was given back.
 *
 * Persisted and restored, an attempt that had been started is not run again: its lease was its process's. The actor
 * ends at once with `abortedBy: "leaseLost"`. A parent that throws does not stop its children (XState): the attempt then
 * goes on to its own end.
 *
 * @param options of the attempt, or a function of the actor's `input` that makes them
 * @returns logic for `setup({ actors })`, `invoke`, `spawn` or `createActor`
 */
export function fromAttempt<T = unknown, TInput = unknown>(
  options: AttemptActorOptions<T, TInput>,
): AttemptActorLogic<T, TInput> {
  return {
    getInitialSnapshot: (_, input) => ({ status: 'active', output: undefined, error: undefined, input, attempt: null }),

    start(snapshot, { self, system }) {
      if (snapshot.status !== 'active') return;
      const tell = self.send as unknown as (event: Told<T>) => void;
      if (snapshot.attempt) return tell({ type: 'attempt.ended', report: lostInRestoring<T>(snapshot.attempt) });
      const made = typeof options === 'function'
        ? options({ input: snapshot.input as TInput, self, system })
        : options;
      const attempt = createAttempt(made);
      let isHere = true;
      const unsubscribe = attempt.subscribe((one) => {
        if (isHere) tell({ type: 'attempt.changed', snapshot: one });
      });
      running.set(self, {
        attempt: attempt as Attempt<unknown>,
        leave: () => {
          isHere = false;
          unsubscribe();
        },
      });
      tell({ type: 'attempt.changed', snapshot: attempt.snapshot() });
      runInside(startedFrom(system), () => attempt.start()).then((report) => {
        if (isHere) tell({ type: 'attempt.ended', report });
      }, (error: unknown) => {
        if (isHere) tell({ type: 'attempt.refused', error });
      });
    },

    transition(snapshot, event, { self, defer, emit }) {
      if (snapshot.status !== 'active') return snapshot;
      const by = requesterOf(event);
      if (by) {
        running.get(self)?.attempt.abort(event.reason, { by });
        return snapshot;
      }
      return heard<T, TInput>(snapshot, event as unknown as Told<T>, self, (one) => defer(() => emit(one)));
    },

    /** Nothing of ours that could not be JSON. What a started attempt was given is not needed: it is not run again. */
    getPersistedSnapshot: (snapshot) =>
      (snapshot.attempt ? { ...snapshot, input: undefined } : snapshot) as Snapshot<unknown>,
    restoreSnapshot: (persisted) => ({ input: undefined, attempt: null, ...persisted }) as AttemptActorSnapshot<T, TInput>,
  };
}

function heard<T, TInput>(
  snapshot: AttemptActorSnapshot<T, TInput>, event: Told<T>, self: Self<T, TInput>,
  emit: (event: AttemptActorEmitted) => void,
): AttemptActorSnapshot<T, TInput> {
  switch (event.type) {
    case 'attempt.changed':
      emit({ type: 'attempt.changed', snapshot: event.snapshot });
      return { ...snapshot, attempt: event.snapshot };
    case 'attempt.ended':
      return { ...snapshot, status: 'done', output: event.report, error: undefined };
    case 'attempt.refused':
      return { ...snapshot, status: 'error', output: undefined, error: event.error };
    case 'xstate.stop': {
      const mine = running.get(self);
      mine?.leave();
      mine?.attempt.abort('its actor was stopped', { by: whoStops(self) });
      return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
    }
    default:
      return snapshot;
  }
}
