/**
 * The handle of an attempt: what it answers, shows and tells.
 */
import { describe, expect, test } from 'vitest';
import { AbortReason, attempts, type AttemptReport, type AttemptSnapshot } from '../../src/index.js';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

describe('the handle', () => {
  test('S19: await using aborts as shutdown and waits until the lock is given back', async () => {
    const store = scene().store();
    let run: Promise<AttemptReport>;
    {
      await using attempt = scene().attempt({ locks: store, work: untilAborted });
      run = attempt.start();
      await scene().settled();
      expect(store.held).toBe(1);
    }
    expect(store.held).toBe(0);
    expect(await run).toMatchObject({ outcome: 'aborted', abortedBy: 'shutdown', lease: 'released' });
  });

  test('S19: await using of what was never started, and of what has ended', async () => {
    await using idle = scene().attempt({ work: never });
    await using ended = scene().attempt({ work: () => 1 });
    expect(await ended.start()).toMatchObject({ outcome: 'completed' });
    expect(idle.snapshot().state).toBe('idle');
  });

  test('S9: abort answers with the state it met and who was first, in every state', async () => {
    const store = scene().store({ acquire: () => {}, release: () => {} });
    const opening = deferred<never>();
    const attempt = scene().attempt({
      locks: store, records: { open: () => opening.promise }, cleanup: never, work: never, settleMs: 10,
    });
    const run = attempt.start();
    store.ask.grant();
    await scene().settled();
    opening.resolve(scene().records.open({ token: 1 } as never) as never);
    await scene().settled();
    expect(attempt.abort('first')).toEqual({ accepted: true, state: 'running.working', abortedBy: 'user' });
    expect(attempt.abort('second')).toEqual({ accepted: false, state: 'aborting.user', abortedBy: 'user' });
    await scene().clock.advance(10);
    expect(attempt.abort('third', { by: 'timeout' })).toEqual({
      accepted: false, state: 'cleaning', abortedBy: 'user',
    });
    await scene().clock.advance(5_000);
    expect(attempt.abort('fourth', { by: 'superseded' }))
      .toEqual({ accepted: false, state: 'releasing.asking', abortedBy: 'user' });
    store.release.honestly();
    expect(await run).toMatchObject({ lateAborts: ['user', 'timeout', 'superseded'], reason: 'first' });
    expect(attempt.abort('fifth', { by: 'shutdown' })).toEqual({
      accepted: false, state: 'released', abortedBy: 'user',
    });
    expect((await run).lateAborts).toEqual(['user', 'timeout', 'superseded']);
  });

  test('S8: an abort in cleaning and in releasing leaves completed work completed', async () => {
    const cleaned = deferred();
    const store = scene().store({ release: () => {} });
    const attempt = scene().attempt({ locks: store, work: () => 'v', cleanup: () => cleaned.promise });
    const run = attempt.start();
    await scene().settled();
    expect(attempt.abort('late')).toEqual({ accepted: false, state: 'cleaning', abortedBy: null });
    cleaned.resolve(1);
    await scene().settled();
    expect(attempt.abort('late', { by: 'timeout' }))
      .toEqual({ accepted: false, state: 'releasing.asking', abortedBy: null });
    store.release.honestly();
    expect(await run).toMatchObject({
      outcome: 'completed', value: 'v', abortedBy: null, lateAborts: ['user', 'timeout'], abandoned: false,
    });
  });

  test('S9: leaseLost is a fact and nobody can ask for it; nor for what does not exist', async () => {
    const attempt = scene().attempt({ work: never });
    for (const by of ['leaseLost', 'me', null, 1] as never[]) {
      expect(() => attempt.abort('x', { by })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(() => attempts.abort('x', 'y', { by })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      await expect(attempts.abortAll(by)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    expect(attempt.snapshot()).toMatchObject({ state: 'idle', abortedBy: null });
    await expect(attempts.abortAll('user', { withinMs: -1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('S8: start twice is one attempt', async () => {
    const store = scene().store();
    const attempt = scene().attempt({ locks: store, work: () => 1 });
    const [one, two] = await Promise.all([attempt.start(), attempt.start()]);
    expect(one).toBe(two);
    expect(await attempt.start()).toBe(one);
    expect(store.asks).toHaveLength(1);
  });

  test('S12: the snapshot tells state, token, note, doubt, settling and refused writes', async () => {
    const store = scene().store();
    const work = deferred();
    let write = (): unknown => null;
    const attempt = scene().attempt({
      attemptId: 'me', labels: { a: 'b' }, locks: store, settleMs: 10, timeoutMs: 100,
      work: ({ progress, session }) => {
        progress('halfway');
        write = () => session.appendSync({ late: true });
        return work.promise;
      },
    });
    expect(attempt.snapshot()).toEqual({
      attemptId: 'me', session: 'session', labels: { a: 'b' }, state: 'idle', abortedBy: null, lateAborts: [],
      token: null, inDoubt: false, unsettled: false, abandoned: false, workSettled: null, note: null, section: null,
      refusedWrites: 0,
    });
    const run = attempt.start();
    await scene().settled();
    expect(attempt.snapshot()).toMatchObject({ state: 'running.working', token: 1, note: 'halfway', workSettled: false });
    store.lease.fixedDeadline = scene().clock.now();
    expect(attempt.snapshot().inDoubt).toBe(true);
    expect(write, 'S10: in doubt nothing is written').toThrow(expect.objectContaining({ code: 'LEASE_IN_DOUBT' }));
    expect(attempt.snapshot().refusedWrites, 'doubt is no refusal').toBe(0);
    store.lease.fixedDeadline = null;
    await scene().clock.advance(100);
    await scene().clock.advance(10);
    const report = await run;
    expect(report).toMatchObject({ abortedBy: 'timeout', abandoned: true, settled: false });
    expect(write).toThrow(expect.objectContaining({ code: 'WRITER_CLOSED' }));
    expect(attempt.snapshot()).toMatchObject({
      state: 'released', abandoned: true, unsettled: true, inDoubt: false, workSettled: false, refusedWrites: 1,
    });
    work.resolve('late');
    await scene().settled();
    expect(attempt.snapshot().workSettled).toBe(true);
    expect(report.settled, 'M03: a late settle changes nothing').toBe(false);
  });

  test('S8: subscribers hear states, notes and doubt in order, and nothing after the end', async () => {
    const store = scene().store();
    const heard: string[] = [];
    const attempt = scene().attempt({
      locks: store,
      work: async ({ progress, signal }) => {
        progress('one');
        await untilAborted({ signal }).catch(() => undefined);
      },
    });
    attempt.subscribe(({ state, note, inDoubt }: AttemptSnapshot) => heard.push(`${state} ${note} ${inDoubt}`));
    const run = attempt.start();
    await scene().settled();
    store.lease.fixedDeadline = scene().clock.now();
    store.lease.notify({ type: 'inDoubt' });
    store.lease.fixedDeadline = null;
    attempt.abort();
    await run;
    attempt.subscribe(() => heard.push('after the end'));
    attempt.abort();
    expect(heard).toEqual([
      'acquiring.waiting null false', 'locked null false', 'running.working null false',
      'running.working one false', 'running.working one true', 'aborting.user one false', 'releasing.asking one false', 'released one false',
    ]);
  });

  test('M17: progress starts the idle limit anew, and says nothing about the run limit', async () => {
    let progress = (): void => {};
    const attempt = scene().attempt({
      idleTimeoutMs: 100, timeoutMs: 250,
      work: (context) => {
        progress = context.progress;
        return untilAborted(context);
      },
    });
    const run = attempt.start();
    for (let step = 0; step < 3; step += 1) {
      await scene().clock.advance(80);
      progress();
      expect(attempt.snapshot().state).toBe('running.working');
    }
    await scene().clock.advance(10);
    expect(await run).toMatchObject({ abortedBy: 'timeout', timeoutKind: 'run', timings: { ranMs: 250 } });
    progress();
  });

  test('M18: onTimeout is called once, on a timeout that ends the attempt, whatever its kind', async () => {
    const calls: unknown[] = [];
    const make = (options: object) => scene().attempt({
      attemptId: 'me', work: untilAborted, onTimeout: (facts) => calls.push(facts), ...options,
    });
    const running = make({ timeoutMs: 50 });
    const run = running.start();
    await scene().clock.advance(50);
    running.abort('again', { by: 'timeout' });
    await run;
    const stopped = make({});
    const second = stopped.start();
    await scene().settled();
    stopped.abort();
    stopped.abort('late', { by: 'timeout' });
    await second;
    const idle = make({});
    idle.abort('early', { by: 'timeout' });
    expect(await idle.done).toMatchObject({ abandoned: false, timeoutKind: 'external' });
    const facts = { attemptId: 'me', session: 'session' };
    expect(calls).toEqual([{ ...facts, kind: 'run' }, { ...facts, kind: 'external' }]);
  });

  test('M18: a TimeoutError on the signal is an external timeout; anything else is the user', async () => {
    const abortedBy = async (reason: unknown, more: object = {}) => {
      const { abortedBy: by, timeoutKind } = await scene().attempt({
        signal: AbortSignal.abort(reason), work: never, ...more,
      }).start();
      return [by, timeoutKind];
    };
    expect(await abortedBy(new DOMException('late', 'TimeoutError'))).toEqual(['timeout', 'external']);
    expect(await abortedBy(new DOMException('stop', 'AbortError'))).toEqual(['user', null]);
    expect(await abortedBy('text')).toEqual(['user', null]);
    const shutdown = { classifyAbort: () => 'shutdown' as const };
    expect(await abortedBy('text', shutdown)).toEqual(['shutdown', null]);
    expect(await abortedBy(new AbortReason('superseded', 1), shutdown)).toEqual(['superseded', null]);
  });

  test("M18: AbortSignal.timeout and the work's own signal, chained, keep who it was", async () => {
    const outer = scene().attempt({
      work: async ({ signal }) => {
        const inner = scene().attempt({ session: 'inner', signal, work: untilAborted }).start();
        return (await inner).abortedBy;
      },
      timeoutMs: 30,
    });
    const run = outer.start();
    await scene().clock.advance(30);
    expect(await run).toMatchObject({ abortedBy: 'timeout', timeoutKind: 'run', value: 'timeout' });
  });
});
