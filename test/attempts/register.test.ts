/**
 * The register of the process: who is at work, who was abandoned, and ending them from outside, each by its id.
 */
import { describe, expect, test } from 'vitest';
import { attempts } from '../../src/index.js';
import { toTheEnd } from '../support/endings.js';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

describe('the register', () => {
  test('S6: active while at work, by session and all; gone before done resolves', async () => {
    const one = scene().attempt({ session: 'a', work: untilAborted });
    const two = scene().attempt({ session: 'b', work: untilAborted });
    expect(attempts.active()).toEqual([]);
    const runs = [one.start(), two.start()];
    await scene().settled();
    expect(attempts.active().map(({ session }) => session)).toEqual(['a', 'b']);
    expect(attempts.active('b').map(({ attemptId }) => attemptId)).toEqual([two.id]);
    one.abort();
    await runs[0];
    expect(attempts.active('a')).toEqual([]);
    two.abort();
    await runs[1];
  });

  test('M01: only a timeout of started work is abandoned, until the next attempt of that session', async () => {
    const run = async (session: string, by: 'user' | 'timeout' | 'shutdown' | 'superseded', started = true) => {
      const attempt = scene().attempt({
        session, work: untilAborted, ...(!started && { records: { open: never } }),
      });
      const done = attempt.start();
      await scene().settled();
      attempt.abort('x', { by });
      return (await toTheEnd(scene(), done)).abandoned;
    };
    expect(await run('s-user', 'user')).toBe(false);
    expect(await run('s-shutdown', 'shutdown')).toBe(false);
    expect(await run('s-superseded', 'superseded')).toBe(false);
    expect(await run('s-early', 'timeout', false)).toBe(false);
    expect(await run('s-timeout', 'timeout')).toBe(true);
    expect(await run('s-other', 'timeout')).toBe(true);
    expect(attempts.abandoned().map(({ session }) => session).filter((name) => name.startsWith('s-')))
      .toEqual(['s-timeout', 's-other']);
    expect(attempts.abandoned('s-timeout')).toMatchObject([
      { state: 'released', abandoned: true, workSettled: true },
    ]);
    expect(await run('s-timeout', 'user')).toBe(false);
    expect(attempts.abandoned('s-timeout')).toEqual([]);
    await run('s-other', 'user');
  });

  test('M19: abort by id hits that attempt alone, and says when there is none', async () => {
    const first = scene().attempt({ attemptId: 'turn-1', work: untilAborted });
    const run = first.start();
    await scene().settled();
    expect(attempts.abort('turn-1', 'stop', { by: 'shutdown' }))
      .toEqual({ accepted: true, state: 'running.working', abortedBy: 'shutdown' });
    expect(await run).toMatchObject({ abortedBy: 'shutdown', reason: 'stop' });
    const second = scene().attempt({ attemptId: 'turn-2', work: untilAborted });
    const next = second.start();
    await scene().settled();
    expect(attempts.abort('turn-1')).toEqual({ accepted: false, state: null, abortedBy: null });
    expect(second.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null, lateAborts: [] });
    second.abort();
    await next;
  });

  test('S8: an id in use is refused, when made and when started; afterwards it is free', async () => {
    const make = (): ReturnType<ReturnType<typeof scene>['attempt']> =>
      scene().attempt({ attemptId: 'same', work: untilAborted });
    const [one, two] = [make(), make()];
    const run = one.start();
    await expect(two.start()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    await scene().settled();
    one.abort();
    await run;
    const again = two.start();
    await scene().settled();
    two.abort();
    expect(await again).toMatchObject({ outcome: 'aborted', attemptId: 'same' });
  });

  test('L6: abortAll ends every attempt, in whatever state, with one honest result each', async () => {
    const waiting = scene().store({
      acquire: (ask) => ask.request.signal.addEventListener('abort', () => ask.busy()),
    });
    const stuck = deferred();
    const all = {
      waiting: scene().attempt({ session: 'waiting', locks: waiting, work: never }),
      running: scene().attempt({ session: 'running', work: untilAborted }),
      fenced: scene().attempt({ session: 'fenced', work: never, settleMs: 20 }),
      held: scene().attempt({ session: 'held', work: () => stuck.promise, settleMs: 20, onUnsettled: 'hold' }),
    };
    const runs = Object.values(all).map((attempt) => attempt.start());
    await scene().settled();
    const asked = attempts.abortAll('shutdown', { withinMs: 100 });
    await scene().clock.advance(100);
    const results = Object.fromEntries((await asked).map((one) => [one.session, one]));
    expect(results).toMatchObject({
      waiting: { result: 'ended', state: 'released', report: { lease: 'neverHeld' } },
      running: { result: 'ended', state: 'released', report: { lease: 'released', settled: true } },
      fenced: { result: 'ended', state: 'released', report: { lease: 'released', settled: false } },
      held: { result: 'unsettled', state: 'aborting.shutdown', abortedBy: 'shutdown', report: null },
    });
    expect(attempts.active()).toMatchObject([{ session: 'held', unsettled: true, workSettled: false }]);
    const again = attempts.abortAll('user', { withinMs: 0 });
    await scene().clock.advance(0);
    expect(await again, 'a later shutdown changes nothing').toMatchObject([
      { result: 'unsettled', abortedBy: 'shutdown' },
    ]);
    stuck.resolve('at last');
    const reports = await Promise.all(runs);
    expect(reports[3]).toMatchObject({ outcome: 'aborted', settled: true, value: 'at last', lease: 'released' });
  });

  test('S11 L6 M19: in a window, and on the way back from one: by id and by abortAll, and nothing is taken back', async () => {
    const stores = [scene().store(), scene().store(), scene().store()];
    const yielding = (nth: number, inside: () => unknown) => scene().attempt({
      attemptId: `turn-${nth}`, session: `session-${nth}`, locks: stores[nth]!, work: ({ yieldLock }) => yieldLock(inside),
    });
    const all = [yielding(0, never), yielding(1, never), yielding(2, () => 'back')];
    stores[2]!.script.acquire = (ask) => { if (stores[2]!.asks.length === 1) ask.grant(); };
    const runs = all.map((attempt) => attempt.start());
    await scene().settled();
    expect(attempts.active().map(({ state }) => state)).toEqual([
      'running.yielded', 'running.yielded', 'running.reacquiring.waiting',
    ]);
    expect(attempts.abort('turn-0', 'stop')).toEqual({ accepted: true, state: 'running.yielded', abortedBy: 'user' });
    const asked = attempts.abortAll('shutdown', { withinMs: 60_000 });
    stores[2]!.ask.busy();
    for (let steps = 0; steps < 5; steps += 1) await scene().clock.advance(5_000);
    expect(await asked).toMatchObject([
      { attemptId: 'turn-0', result: 'ended', abortedBy: 'user', report: { lateAborts: ['shutdown'], lease: 'released' } },
      { attemptId: 'turn-1', result: 'ended', abortedBy: 'shutdown' },
      { attemptId: 'turn-2', result: 'ended', abortedBy: 'shutdown' },
    ]);
    await Promise.all(runs);
    expect(stores.map(({ asks }) => asks.length), 'S11').toEqual([1, 1, 2]);
  });

  test('M01: a timeout in a window marks the run abandoned like any other; the next attempt clears the mark', async () => {
    const locks = scene().store();
    const run = scene().attempt({ session: 'w', locks, timeoutMs: 50, settleMs: 10, work: ({ yieldLock }) => yieldLock(never) }).start();
    expect(await toTheEnd(scene(), run)).toMatchObject({ abortedBy: 'timeout', abandoned: true, settled: false });
    expect(attempts.abandoned('w')).toMatchObject([{ state: 'released', workSettled: false }]);
    await scene().now(scene().attempt({ session: 'w', locks, work: () => 1 }).start());
    expect(attempts.abandoned('w')).toEqual([]);
  });
});
