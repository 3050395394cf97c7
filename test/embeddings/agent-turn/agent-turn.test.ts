/**
 * The agent of `agent.machine.ts` on real files: a turn with tools, the lock given up while the model thinks, the stop
 * button at every point, a time limit inside a compaction, the app that closes, the app that crashed.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { attempts, createAttempt, readSession, runAttempt, type AttemptOptions, type AttemptReport } from '../../../src/index.js';
import { deferred, type Deferred } from '../../support/scene.js';
import { useSessionFiles } from '../../support/session-files.js';
import { agentMachine, type Ending } from './agent.machine.js';
import type { Agent, Message, Reply } from './turn.js';

const files = useSessionFiles();
afterEach(() => expect(attempts.active(), 'L5: no attempt is at work').toEqual([]));

/** A call that the test answers. */
interface Call<Answer> extends Deferred<Answer> {
  readonly about: unknown;
  readonly signal: AbortSignal;
}

/** A model, a tool and a summarizer that wait for the test. */
class Stage {
  readonly model: Call<Reply>[] = [];
  readonly tool: Call<string>[] = [];
  readonly summary: Call<string>[] = [];

  agent(mostMessages = 100): Agent {
    const on = <Answer>(calls: Call<Answer>[]) => (about: unknown, { signal }: { signal: AbortSignal }): Promise<Answer> => {
      const call = { ...deferred<Answer>(), about, signal };
      calls.push(call);
      return call.promise;
    };
    return { model: on(this.model), tools: { search: on(this.tool) }, summarize: on(this.summary), mostMessages };
  }
}

/** Real time passes here, so that what is waited for may need the disk. */
async function until(fact: () => unknown): Promise<void> {
  while (!fact()) await pause(1);
}

/** An agent on a session of its own. */
function start({ mostMessages = 100, before = [] as Message[], options = {} as Partial<AttemptOptions<string>> } = {}) {
  const session = files.session();
  if (before.length > 0) writeFileSync(session, before.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const stage = new Stage();
  const machine = agentMachine(stage.agent(mostMessages), options);
  const actor = createActor(machine, { input: { session } }).start();
  const texts = async (): Promise<string[]> =>
    (await readSession(session)).records.map(({ record }) => { const { role, text } = record as Message; return `${role}: ${text}`; });
  const ended = async (): Promise<Ending> => {
    await until(() => actor.getSnapshot().context.last);
    return actor.getSnapshot().context.last as Ending;
  };
  return { session, stage, machine, actor, texts, ended };
}

async function expectFree(session: string): Promise<void> {
  const next = await createAttempt({ session, waitMs: 0, work: () => 'next' }).start();
  expect(next, 'S6').toMatchObject({ outcome: 'completed', lease: 'released' });
}

const thinking = ({ actor, stage }: ReturnType<typeof start>, calls = 1): Promise<void> =>
  until(() => stage.model.length === calls && actor.getSnapshot().context.doing === 'thinking');

test('S19: a turn with two tools; the lock is free while the model thinks, and the record is in order', async () => {
  const one = start();
  const { actor, stage, session } = one;
  actor.send({ type: 'prompt', text: 'hello' });
  await thinking(one);
  await expectFree(session); // in the window
  stage.model[0]?.resolve({ text: 'let me see', calls: [{ tool: 'search', input: 'a' }, { tool: 'search', input: 'b' }] });
  for (const nth of [0, 1]) {
    await until(() => stage.tool.length === nth + 1);
    expect(actor.getSnapshot().context.doing).toBe('tool search');
    stage.tool[nth]?.resolve(`found ${stage.tool[nth]?.about}`);
  }
  await thinking(one, 2);
  stage.model[1]?.resolve({ text: 'done' });
  expect(await one.ended()).toEqual({ outcome: 'completed', abortedBy: null, lease: 'released', text: 'done' });
  expect(await one.texts()).toEqual([
    'user: hello', 'assistant: let me see', 'tool: found a', 'tool: found b', 'assistant: done',
  ]);
  expect(actor.getSnapshot()).toMatchObject({ value: 'idle', context: { prompts: [], doing: null } });
  await expectFree(session);
});

test('M10: what somebody wrote while the model thought is told by tokens, and the model is asked again', async () => {
  const one = start();
  const { actor, stage, session } = one;
  actor.send({ type: 'prompt', text: 'hello' });
  await thinking(one);
  await runAttempt({ session, work: (context) => context.session.append({ role: 'note', text: 'by the way' }) });
  stage.model[0]?.resolve({ text: 'out of date' });
  await until(() => stage.model.length === 2);
  expect(stage.model[1]?.about).toMatchObject([{ text: 'hello' }, { text: 'by the way' }]);
  stage.model[1]?.resolve({ text: 'up to date' });
  expect(await one.ended()).toMatchObject({ outcome: 'completed' });
  expect(await one.texts()).toEqual(['user: hello', 'note: by the way', 'assistant: up to date']);
});

test('M04: the stop button while the model thinks: nothing is taken back, the next prompt has its turn', async () => {
  const one = start();
  const { actor, stage, session } = one;
  actor.send({ type: 'prompt', text: 'first' });
  await thinking(one);
  actor.send({ type: 'prompt', text: 'second' });
  actor.send({ type: 'stop' });
  expect(stage.model[0]?.signal.aborted, 'told in the same tick').toBe(true);
  stage.model[0]?.resolve({ text: 'too late' });
  expect(await one.ended()).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
  await thinking(one, 2);
  stage.model[1]?.resolve({ text: 'answered' });
  await until(() => actor.getSnapshot().context.last?.text === 'answered');
  expect(await one.texts()).toEqual(['user: first', 'user: second', 'assistant: answered']);
  await expectFree(session);
});

test('M09: the stop button while a tool runs: what the tool still finds is refused', async () => {
  const one = start();
  const { actor, stage, session } = one;
  actor.send({ type: 'prompt', text: 'hello' });
  await thinking(one);
  stage.model[0]?.resolve({ text: 'let me see', calls: [{ tool: 'search', input: 'a' }] });
  await until(() => stage.tool.length === 1);
  actor.send({ type: 'stop' });
  expect(stage.tool[0]?.signal.aborted).toBe(true);
  stage.tool[0]?.resolve('found too late');
  expect(await one.ended()).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
  expect(await one.texts()).toEqual(['user: hello', 'assistant: let me see']);
  await expectFree(session);
});

const long: Message[] = Array.from({ length: 5 }, (_, nth) => ({ role: 'user', text: `message ${nth}` }));

test('M17: a time limit inside the compaction waits for it once; the transcript is rewritten whole', async () => {
  const one = start({ before: long, mostMessages: 3, options: { timeoutMs: 30 } });
  one.actor.send({ type: 'prompt', text: 'hello' });
  await until(() => one.stage.summary.length === 1);
  expect(one.actor.getSnapshot().context.doing).toBe('compaction');
  await pause(60); // armed after the limit, and longer: it is over first
  one.stage.summary[0]?.resolve('five messages');
  expect(await one.ended()).toMatchObject({ outcome: 'aborted', abortedBy: 'timeout', lease: 'released' });
  expect(await one.texts()).toEqual(['summary: five messages']);
  await expectFree(one.session);
});

test('M17: the stop button inside the compaction is told at once, and the old transcript stays', async () => {
  const one = start({ before: long, mostMessages: 3 });
  one.actor.send({ type: 'prompt', text: 'hello' });
  await until(() => one.stage.summary.length === 1);
  one.actor.send({ type: 'stop' });
  expect(one.stage.summary[0]?.signal.aborted).toBe(true);
  one.stage.summary[0]?.resolve('too late');
  expect(await one.ended()).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
  expect(await one.texts()).toEqual(long.map(({ role, text }) => `${role}: ${text}`));
  await expectFree(one.session);
});

test('M22: a session somebody else has: the prompt is kept, and answered when it is tried again', async () => {
  const one = start({ options: { waitMs: 0 } });
  const held = deferred();
  const other = createAttempt({ session: one.session, work: () => held.promise });
  const run = other.start();
  await until(() => other.snapshot().state === 'running.working');
  one.actor.send({ type: 'prompt', text: 'hello' });
  expect(await one.ended()).toMatchObject({ outcome: 'notStarted', text: expect.stringContaining('is locked') });
  expect(one.actor.getSnapshot()).toMatchObject({ value: 'unanswered', context: { prompts: ['hello'] } });
  held.resolve(null);
  await run;
  one.actor.send({ type: 'retry' });
  await thinking(one);
  one.stage.model[0]?.resolve({ text: 'answered' });
  await until(() => one.actor.getSnapshot().context.last?.text === 'answered');
});

test('L6: the app closes: the turn is aborted as shutdown, and its lock is given back though no exit action runs', async () => {
  const reports: AttemptReport[] = [];
  const one = start({ options: { dispose: (report) => void reports.push(report) } });
  one.actor.send({ type: 'prompt', text: 'hello' });
  await thinking(one);
  one.actor.stop();
  one.stage.model[0]?.resolve({ text: 'too late' });
  await until(() => reports.length > 0);
  expect(reports).toMatchObject([{ outcome: 'aborted', abortedBy: 'shutdown', lease: 'released' }]);
  expect(await one.texts()).toEqual(['user: hello']);
  await expectFree(one.session);
});

test('S10: the app crashed in a turn: restored, it knows that the turn is lost, keeps the prompt, and asks', async () => {
  const one = start();
  one.actor.send({ type: 'prompt', text: 'hello' });
  await thinking(one);
  const kept = JSON.parse(JSON.stringify(one.actor.getPersistedSnapshot())) as never;
  one.actor.stop(); // what a crash would have done to the attempt, its lease's end apart
  one.stage.model[0]?.reject(new Error('gone'));
  await until(() => attempts.active().length === 0);
  const restored = createActor(one.machine, { snapshot: kept, input: { session: one.session } }).start();
  await until(() => restored.getSnapshot().matches('unanswered'));
  expect(restored.getSnapshot().context).toMatchObject({ prompts: ['hello'], last: { abortedBy: 'leaseLost' } });
  expect(one.stage.model, 'nothing is run again by itself').toHaveLength(1);
  restored.send({ type: 'drop' });
  expect(restored.getSnapshot()).toMatchObject({ value: 'idle', context: { prompts: [] } });
});
