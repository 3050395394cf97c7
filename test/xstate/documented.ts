/** A turn of an agent as a state of its machine; `stop` ends it, and the report comes as its output. */
import { assign, setup } from 'xstate';
import type { AttemptReport } from '../../src/index.js';
import { fromAttempt } from '../../src/xstate/index.js';

export const agentOf = (ask: (prompt: string, how: { signal: AbortSignal }) => Promise<string>, session: string) => setup({
  types: {} as { context: { report: AttemptReport | null }; events: { type: 'stop' } },
  actors: {
    turn: fromAttempt(({ input }: { input: { prompt: string } }) => ({
      session,
      timeoutMs: 120_000,
      work: async ({ session: writer, signal }) => writer.append({ text: await ask(input.prompt, { signal }) }),
    })),
  },
}).createMachine({
  context: { report: null },
  initial: 'working',
  states: {
    working: {
      invoke: {
        id: 'turn', src: 'turn', input: { prompt: 'hello' },
        onDone: { target: 'idle', actions: assign({ report: ({ event }) => event.output }) },
      },
      on: { stop: { actions: ({ self }) => self.getSnapshot().children['turn']?.send({ type: 'abort.user' }) } },
    },
    idle: {},
  },
});
