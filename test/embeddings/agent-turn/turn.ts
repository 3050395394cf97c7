/**
 * One turn of an agent, as the work of an attempt: the prompt, the model, its tools, and the compaction of a transcript
 * that has become long. The transcript's own writer stands behind `guard`.
 */
import { appendFileSync } from 'node:fs';
import { readSession, type WorkContext } from '../../../src/index.js';

export interface Message extends Record<string, unknown> {
  readonly role: 'user' | 'assistant' | 'tool' | 'summary' | 'note';
  readonly text: string;
}

export interface Reply {
  readonly text: string;
  readonly calls?: readonly { readonly tool: string; readonly input: string }[];
}

type Told = { readonly signal: AbortSignal };

/** What the turn is made with. */
export interface Agent {
  readonly model: (messages: readonly Message[], told: Told) => Promise<Reply>;
  readonly tools: Readonly<Record<string, (input: string, told: Told) => Promise<string>>>;
  readonly summarize: (messages: readonly Message[], told: Told) => Promise<string>;
  /** Messages a transcript may have before it is compacted. */
  readonly mostMessages: number;
}

/** The runner's own transcript, as it was before: plain lines, one a message. It opens the file anew for each of them. */
export class Transcript {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(message: Message): void {
    appendFileSync(this.#file, `${JSON.stringify(message)}\n`);
  }

  async read(): Promise<Message[]> {
    return (await readSession(this.#file)).records.map(({ record }) => record as Message);
  }
}

/** @returns the model's last word */
export async function turn(agent: Agent, file: string, prompt: string, context: WorkContext): Promise<string> {
  const { signal, guard, yieldLock, progress, section } = context;
  const transcript = new Transcript(file);
  const say = (message: Message): void => guard(() => transcript.add(message));
  await section('compaction', () => compact(agent, transcript, context), { graceMs: 10_000 });
  say({ role: 'user', text: prompt });
  for (;;) {
    progress('thinking');
    const messages = await transcript.read();
    // The model takes long, and needs no lock: others may have the session meanwhile.
    const { value: reply, changedBy } = await yieldLock(() => agent.model(messages, { signal }));
    if (changedBy === null || changedBy.length > 0) continue; // it answers a transcript that is another by now
    say({ role: 'assistant', text: reply.text });
    if (!reply.calls?.length) return reply.text;
    for (const { tool, input } of reply.calls) {
      progress(`tool ${tool}`);
      const result = await agent.tools[tool]?.(input, { signal }) ?? `there is no tool ${tool}`;
      say({ role: 'tool', text: result }); // refused if the turn was stopped meanwhile, whatever the tool made of it
    }
  }
}

/** A whole rewrite or none: `replace` renames a finished file into place, under the lock. */
async function compact(
  { summarize, mostMessages }: Agent, transcript: Transcript, { signal, session, progress }: WorkContext,
): Promise<void> {
  const messages = await transcript.read().catch(() => []); // a new session has no file yet
  if (messages.length <= mostMessages) return;
  progress('compacting');
  await session.replace([{ role: 'summary', text: await summarize(messages, { signal }) }]);
}
