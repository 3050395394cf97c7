/**
 * A machine that runs one attempt by `fromAttempt`, and everything it can do with it.
 */
import { assign, createActor, setup } from 'xstate';
import { attempts, type AttemptReport, type Clock, type LockStore } from '../../src/index.js';
import { fromAttempt } from '../../src/xstate/index.js';
import { untilAborted } from '../support/scene.js';

/** What one attempt is made with. */
export interface Input {
  readonly clock: Clock;
  readonly locks: LockStore;
  readonly work?: (context: { signal: AbortSignal }) => unknown;
  readonly report?: (report: AttemptReport) => void;
}

/** What is not data stays outside: XState walks through everything in a context that it persists. */
export const inputs: Input[] = [];

const attempt = fromAttempt(({ input }: { input: number }) => {
  const { locks, clock, work = untilAborted, report } = inputs[input] as Input;
  return {
    session: 'session', locks, work, records: 'none' as const, clock, ...(report && { dispose: report }),
  };
});

/** A parent that runs one attempt, until that ends or the parent leaves. */
export const parent = setup({
  types: {} as {
    context: { input: number; report: AttemptReport | null; states: string[]; error?: unknown };
    input: number;
    events: { type: 'leave' } | { type: 'stop' } | { type: 'finish' } | { type: 'again' } | { type: 'fail' };
  },
  actors: { attempt },
}).createMachine({
  id: 'parent',
  context: ({ input }) => ({ input, report: null, states: [] }),
  initial: 'working',
  states: {
    working: {
      invoke: {
        id: 'turn', src: 'attempt', input: ({ context }) => context.input,
        onSnapshot: {
          actions: assign({
            states: ({ context, event }) => [...context.states, event.snapshot.attempt?.state ?? 'none'],
          }),
        },
        onDone: { target: 'idle', actions: assign({ report: ({ event }) => event.output }) },
        onError: { target: 'idle', actions: assign({ error: ({ event }) => event.error }) },
      },
      on: {
        leave: 'idle', finish: 'finished', again: { target: 'working', reenter: true },
        fail: { actions: () => { throw new Error('the parent fails'); } },
        stop: { actions: ({ self }) => self.getSnapshot().children['turn']?.send({ type: 'abort.user', reason: 'button' }) },
      },
    },
    idle: {},
    finished: { type: 'final' },
  },
});

/** A parent at work. */
export const parentOf = (input: Input) => createActor(parent, { input: inputs.push(input) - 1 }).start();

export type Parent = ReturnType<typeof parentOf>;

export const isRunning = (): boolean => attempts.active().some(({ state }) => state === 'running.working');
