/**
 * An attempt as an actor of XState: shown to its parent, aborted by it, and never left behind by it. Where the promises
 * rest on what XState does (stopping, leaving, failing, persisting), that is tested with it.
 */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createActor, setup, toPromise, type AnyActorRef } from 'xstate';
import { attempts, memoryLocks, type AttemptReport } from '../../src/index.js';
import { fromAttempt } from '../../src/xstate/index.js';
import { deferred, until, untilAborted, useScene } from '../support/scene.js';
import { inputs, isRunning, parent, parentOf, type Input, type Parent } from './parent.js';

const scene = useScene();
const actorOf = (input: Omit<Input, 'clock'>): Parent => parentOf({ ...input, clock: scene().clock });

describe('what the parent sees', () => {
  test('S19: the report is the output, after the lock was given back; states come as snapshots and as events', async () => {
    const locks = scene().store();
    const actor = actorOf({ locks, work: () => 'value' });
    const emitted: string[] = [];
    (actor.getSnapshot().children['turn'] as unknown as { on(type: string, fn: (event: {
      snapshot: { state: string };
    }) => void): unknown }).on('attempt.changed', ({ snapshot }) => emitted.push(snapshot.state));
    await until(() => actor.getSnapshot().matches('idle'));
    const { report, states } = actor.getSnapshot().context;
    expect(report).toMatchObject({ outcome: 'completed', value: 'value', lease: 'released' });
    expect(locks.held).toBe(0);
    expect(states).toEqual(expect.arrayContaining(['locked', 'running.working', 'releasing.asking', 'released']));
    expect(emitted).toEqual(expect.arrayContaining(['locked', 'running.working', 'released']));
    actor.stop();
  });

  test('M01: a stop button sends an abort and stays for the report', async () => {
    const actor = actorOf({ locks: scene().store() });
    await until(isRunning);
    actor.send({ type: 'stop' });
    actor.send({ type: 'stop' });
    await until(() => actor.getSnapshot().matches('idle'));
    expect(actor.getSnapshot().context.report).toMatchObject({
      outcome: 'aborted', abortedBy: 'user', reason: 'button', lateAborts: ['user'], lease: 'released',
    });
  });

  test('a bad option is the parent\'s error; a throw of the work is in the report', async () => {
    const wrong = actorOf({ locks: {} as never });
    expect(wrong.getSnapshot().matches('idle')).toBe(true);
    expect(wrong.getSnapshot().context.error).toMatchObject({ code: 'CONFIG_INVALID' });
    const failing = actorOf({ locks: scene().store(), work: () => { throw new RangeError('mine'); } });
    await until(() => failing.getSnapshot().matches('idle'));
    expect(failing.getSnapshot().context).toMatchObject({ report: { outcome: 'failed' } });
    expect(failing.getSnapshot().context.error).toBeUndefined();
  });

  test('without a parent: options as they are, toPromise, and events that mean nothing', async () => {
    const locks = scene().store();
    const actor = createActor(fromAttempt({
      session: 's', locks, records: 'none', clock: scene().clock, work: () => 42,
    })).start();
    for (const type of ['abort.leaseLost', 'abort.nobody', 'hello']) actor.send({ type } as never);
    const report = await toPromise(actor);
    expect(report).toMatchObject({ outcome: 'completed', value: 42 });
    const value: number | undefined = report.value;
    expect(value).toBe(42);
  });

  test('an id that came into use meanwhile is the actor\'s error', async () => {
    const locks = scene().store();
    const twice = fromAttempt({ session: 's', locks, records: 'none', attemptId: 'twin', clock: scene().clock, work: untilAborted });
    const one = createActor(twice).start();
    const two = createActor(twice);
    two.subscribe({ error: () => {} });
    two.start();
    expect(two.getSnapshot()).toMatchObject({ status: 'error', error: { code: 'CONFIG_INVALID' } });
    one.send({ type: 'abort.user' });
    expect(await toPromise(one)).toMatchObject({ outcome: 'aborted' });
  });
});

describe('a parent that goes', () => {
  const ways: Record<string, { by: string; go(actor: Parent): void }> = {
    'leaves the state': { by: 'superseded', go: (actor) => actor.send({ type: 'leave' }) },
    'comes to its own end': { by: 'superseded', go: (actor) => actor.send({ type: 'finish' }) },
    'is stopped': { by: 'shutdown', go: (actor) => actor.stop() },
  };
  for (const [way, { by, go }] of Object.entries(ways)) {
    test(`S6: one that ${way} aborts as ${by}; the lock is given back though no exit action runs`, async () => {
      const locks = scene().store();
      const reports: AttemptReport[] = [];
      const told: unknown[] = [];
      const actor = actorOf({
        locks, report: (one) => reports.push(one),
        work: ({ signal }) => {
          signal.addEventListener('abort', () => told.push(signal.reason));
          return untilAborted({ signal });
        },
      });
      await until(isRunning);
      go(actor);
      expect(told, 'S5: in the same tick').toMatchObject([{ abortedBy: by }]);
      await until(() => reports.length > 0);
      expect(reports).toMatchObject([{ abortedBy: by, outcome: 'aborted', lease: 'released', settled: true }]);
      expect(locks.held).toBe(0);
      actor.stop();
    });

    test(`M02: one that ${way} before the lock has come: what still comes is given back`, async () => {
      const locks = scene().store({ acquire: () => {} });
      const reports: AttemptReport[] = [];
      const actor = actorOf({ locks, report: (one) => reports.push(one) });
      go(actor);
      await scene().settled();
      locks.ask.grant();
      await until(() => reports.length > 0);
      expect(reports).toMatchObject([{ abortedBy: by, settled: null, lease: 'released' }]);
      expect(locks.held).toBe(0);
      actor.stop();
    });
  }

  test('S6: a parent stopped by its own parent: superseded if that lives on, shutdown if it is stopped too', async () => {
    const root = setup({ actors: { parent }, types: {} as { input: number; context: { input: number } } }).createMachine({
      context: ({ input }) => ({ input }), initial: 'on',
      states: {
        on: { invoke: { src: 'parent', input: ({ context }) => context.input }, on: { off: 'off' } }, off: {},
      },
    });
    for (const [how, by] of [['stop', 'shutdown'], ['off', 'superseded']] as const) {
      const reports: AttemptReport[] = [];
      const input = inputs.push({ locks: scene().store(), clock: scene().clock, report: (one) => reports.push(one) }) - 1;
      const actor = createActor(root, { input }).start();
      await until(isRunning);
      if (how === 'stop') actor.stop();
      else actor.send({ type: 'off' });
      await until(() => reports.length > 0);
      expect(reports, how).toMatchObject([{ abortedBy: by, lease: 'released' }]);
      actor.stop();
    }
  });

  test('M19: a state entered again: the old attempt is superseded, the new one waits for its lock', async () => {
    const locks = memoryLocks({ clock: scene().clock });
    const reports: AttemptReport[] = [];
    const settle = deferred();
    let starts = 0;
    const actor = actorOf({
      locks, report: (one) => reports.push(one),
      work: () => ((starts += 1) === 1 ? settle.promise : 'second'),
    });
    await until(isRunning);
    actor.send({ type: 'again' });
    await scene().settled();
    expect(starts, 'S2').toBe(1);
    settle.resolve('first');
    await until(() => actor.getSnapshot().matches('idle'));
    expect(reports).toMatchObject([{ abortedBy: 'superseded', value: 'first', token: 1 }, { value: 'second', token: 2 }]);
    expect(actor.getSnapshot().context.report, 'the first one is nobody\'s news').toMatchObject({ value: 'second' });
  });

  test('M08: work whose own report moves its parent to the next attempt: that one waits, and is not called nested', async () => {
    const locks = memoryLocks({ clock: scene().clock });
    let starts = 0;
    let above: AnyActorRef | null = null;
    const actor = actorOf({
      locks,
      work: async () => {
        if ((starts += 1) === 1) above?.send({ type: 'again' });
        return starts;
      },
    });
    above = actor;
    await until(() => actor.getSnapshot().matches('idle'));
    expect(actor.getSnapshot().context.report).toMatchObject({ outcome: 'completed', value: 2 });
  });

  test('a parent that throws does not stop its children (XState): the attempt goes on to its own end', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {}); // XState's, when the actor's end finds its parent gone
    onTestFinished(() => void vi.restoreAllMocks());
    const work = deferred();
    const reports: AttemptReport[] = [];
    const actor = actorOf({ locks: scene().store(), work: () => work.promise, report: (one) => reports.push(one) });
    actor.subscribe({ error: () => {} });
    await until(isRunning);
    actor.send({ type: 'fail' });
    expect(actor.getSnapshot().status).toBe('error');
    await scene().settled();
    expect(isRunning()).toBe(true);
    work.resolve('done');
    await until(() => reports.length > 0);
    expect(reports).toMatchObject([{ outcome: 'completed', lease: 'released' }]);
  });

  test('L6: what its parent has left is still in the register, and ended by abortAll', async () => {
    const settle = deferred();
    const actor = actorOf({ locks: scene().store(), work: () => settle.promise });
    await until(isRunning);
    actor.stop();
    const all = attempts.abortAll('shutdown', { withinMs: 1_000 });
    settle.resolve('x');
    expect(await all).toMatchObject([{ result: 'ended', abortedBy: 'shutdown', report: { lateAborts: ['shutdown'] } }]);
  });
});
