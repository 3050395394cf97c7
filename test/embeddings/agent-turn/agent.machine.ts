/**
 * An agent with a stop button: prompts wait in a queue, one turn at a time is an attempt on the transcript. The machine
 * only knows when a turn begins and what came of it; that its lock is given back is nobody's business here.
 */
import { assign, sendTo, setup } from 'xstate';
import type { AttemptOptions, AttemptReport } from '../../../src/index.js';
import { fromAttempt } from '../../../src/xstate/index.js';
import { turn, type Agent } from './turn.js';

/** What came of a turn: data only, so that the machine can be persisted. */
export interface Ending {
  readonly outcome: AttemptReport['outcome'];
  readonly abortedBy: AttemptReport['abortedBy'];
  readonly lease: AttemptReport['lease'];
  readonly text: string;
}

interface Context {
  readonly session: string;
  /** Not answered yet, oldest first. A turn works on the first; it stays until it has been answered or was stopped. */
  readonly prompts: readonly string[];
  /** What a user sees of the turn. */
  readonly doing: string | null;
  readonly last: Ending | null;
}

type Event = { type: 'prompt'; text: string } | { type: 'stop' } | { type: 'retry' } | { type: 'drop' };

const endingOf = ({ outcome, abortedBy, lease, value, error }: AttemptReport<string>): Ending => ({
  outcome, abortedBy, lease, text: value ?? (error instanceof Error ? error.message : String(error)),
});

/** Nobody has answered the prompt, and nobody wanted it to stay unanswered: somebody else has the session, or had it. */
const isUnanswered = ({ outcome, abortedBy }: AttemptReport<string>): boolean =>
  outcome === 'notStarted' || abortedBy === 'leaseLost';

/** @param attempt further options of every turn, such as `timeoutMs` */
export const agentMachine = (agent: Agent, attempt: Partial<AttemptOptions<string>> = {}) => setup({
  types: {} as { context: Context; input: { session: string }; events: Event },
  actors: {
    turn: fromAttempt(({ input: { session, prompt } }: { input: { session: string; prompt: string } }) => ({
      ...attempt, session, labels: { agent: 'example' },
      work: (context) => turn(agent, session, prompt, context),
    }) satisfies AttemptOptions<string>),
  },
  actions: {
    keepPrompt: assign({
      prompts: ({ context, event }) => (event.type === 'prompt' ? [...context.prompts, event.text] : context.prompts),
    }),
    forgetPrompt: assign({ prompts: ({ context }) => context.prompts.slice(1) }),
    pressStop: sendTo('turn', { type: 'abort.user', reason: 'stop button' }),
  },
  guards: { hasPrompt: ({ context }) => context.prompts.length > 0 },
}).createMachine({
  id: 'agent',
  context: ({ input }) => ({ session: input.session, prompts: [], doing: null, last: null }),
  initial: 'idle',
  on: { prompt: { actions: 'keepPrompt' } },
  states: {
    idle: { always: { guard: 'hasPrompt', target: 'turn' } },

    turn: {
      invoke: {
        id: 'turn', src: 'turn',
        input: ({ context }) => ({ session: context.session, prompt: context.prompts[0] ?? '' }),
        onSnapshot: {
          actions: assign({
            doing: ({ event }) => {
              const { state, section, note } = event.snapshot.attempt ?? {};
              return section ?? (state?.startsWith('running') ? note ?? 'working' : state ?? null);
            },
          }),
        },
        onDone: [
          {
            guard: ({ event }) => isUnanswered(event.output), target: 'unanswered',
            actions: assign({ last: ({ event }) => endingOf(event.output) }),
          },
          { target: 'idle', actions: [assign({ last: ({ event }) => endingOf(event.output) }), 'forgetPrompt'] },
        ],
      },
      // Not left here: the turn ends when it has ended, with a report, and with the lock given back.
      on: { stop: { actions: 'pressStop' } },
      exit: assign({ doing: null }),
    },

    // Busy, or interrupted (restored after a crash, for one). The prompt is kept, and asked again when somebody says so.
    unanswered: { on: { retry: 'turn', drop: { target: 'idle', actions: 'forgetPrompt' } } },
  },
});
