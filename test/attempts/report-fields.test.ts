/**
 * The other fields of a report: errors beside the outcome, times, trace, fencing, token, labels.
 */
import { describe, expect, test } from 'vitest';
import { createAttempt } from '../../src/index.js';
import { toTheEnd } from '../support/endings.js';
import { never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

describe('the other fields', () => {
  test('S9: what aborted work throws of its own is workError; the abort stays the error', async () => {
    const own = new RangeError('own');
    const attempt = scene().attempt({ work: (context) => untilAborted(context).catch(() => { throw own; }) });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('stop');
    const report = await run;
    expect(report.workError).toBe(own);
    expect(report).toMatchObject({
      outcome: 'aborted', settled: true, value: undefined, error: { abortedBy: 'user' },
    });
  });

  test('S8: cleanupError and releaseError do not change the outcome', async () => {
    const wrong = new Error('cleanup');
    const down = new Error('down');
    let asked = 0;
    const store = scene().store({
      release: (ask) => {
        asked += 1;
        if (asked === 1) ask.reject(down);
        else ask.honestly();
      },
    });
    const cleanup = (): never => { throw wrong; };
    const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: () => 1, cleanup }).start());
    expect(report).toMatchObject({ outcome: 'completed', value: 1, lease: 'released' });
    expect(report.cleanupError).toBe(wrong);
    expect(report.releaseError).toBe(down);
  });

  test('L2: a cleanup over time is CLEANUP_TIMED_OUT; an unanswered release is LOCK_STORE_FAILED', async () => {
    const store = scene().store({ release: () => {} });
    const run = scene().attempt({ locks: store, work: () => 1, cleanup: never, cleanupMs: 70 }).start();
    expect(await toTheEnd(scene(), run)).toMatchObject({
      outcome: 'completed', cleanupError: { code: 'CLEANUP_TIMED_OUT' }, lease: 'expired',
      releaseError: { code: 'LOCK_STORE_FAILED' },
    });
  });

  test('L2: who throws the words of a limit has thrown them: neither is taken for the limit itself', async () => {
    for (const thrown of ['over time', 'no answer', { limit: 'cleanupMs' }, { limit: 'answerMs' }]) {
      const store = scene().store({ release: (ask) => (store.releases.length === 1 ? ask.reject(thrown) : ask.honestly()) });
      const cleanup = (): never => { throw thrown; };
      const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: () => 1, cleanup }).start());
      expect(report.cleanupError).toBe(thrown);
      expect(String((report.releaseError as Error).message)).not.toContain('not answered in time');
    }
  });

  test('S14: a loss told while the lock is being given back ends the asking', async () => {
    const store = scene().store({ release: () => {} });
    const run = scene().attempt({ locks: store, work: () => 1 }).start();
    await scene().settled();
    store.lease.notify({ type: 'lost', reason: 'taken over' });
    expect(await run).toMatchObject({ outcome: 'completed', lease: 'lost' });
  });

  test('L1: timings count from start, grant, entering running and the abort', async () => {
    const { clock } = scene();
    const store = scene().store({ acquire: () => {} });
    const attempt = scene().attempt({ locks: store, work: never, settleMs: 40 });
    const run = attempt.start();
    await clock.advance(10);
    store.ask.grant();
    await clock.advance(20);
    attempt.abort();
    const report = await toTheEnd(scene(), run);
    expect(report.timings).toEqual({ waitedMs: 10, heldMs: 60, ranMs: 20, abortToReleaseMs: 40 });
    expect(report.trace.transitions.map(({ at, to, event }) => [at, to, event])).toEqual([
      [0, 'acquiring.waiting', 'start'], [10, 'locked', 'lock.granted'], [10, 'running.working', 'session.opened'],
      [30, 'aborting.user', 'abort.user'], [70, 'releasing.asking', 'settleMs'],
      [70, 'released', 'release.confirmed'],
    ]);
  });

  test('L1: a grant that comes while we are giving back by owner is held from then on', async () => {
    const { clock } = scene();
    const store = scene().store({ acquire: () => {}, release: (ask) => { if (!ask.byOwner) ask.honestly(); } });
    const attempt = scene().attempt({ locks: store, work: never, answerMs: 100 });
    const run = attempt.start();
    attempt.abort();
    await clock.advance(150);
    expect(attempt.snapshot().state).toBe('releasing.asking');
    store.ask.grant();
    await clock.advance(0);
    expect(await run).toMatchObject({
      outcome: 'aborted', abortedBy: 'user', lease: 'released', token: 1, settled: null,
      timings: { waitedMs: 150, heldMs: 0 },
    });
  });

  test('L1: the trace keeps the last 64 transitions and counts the rest', async () => {
    const store = scene().store({ release: (ask) => ask.answer('unknown') }, { leaseMs: 2 ** 31 - 1 });
    const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: () => 1 }).start());
    expect(report.lease).toBe('expired');
    expect(report.trace.transitions).toHaveLength(64);
    expect(report.trace.dropped).toBeGreaterThan(100);
    expect(report.trace.transitions.at(-1)).toMatchObject({ to: 'released', event: 'leaseMs' });
  });

  test('S4: fencing says what kept a zombie out: stamped, gated, none', async () => {
    const run = async (options: object, work: (context: never) => unknown) =>
      (await toTheEnd(scene(), scene().attempt({ ...options, work: work as never }).start())).fencing;
    const append = ({ session }: { session: { append(record: object): Promise<void> } }) =>
      session.append({ a: 1 });
    const guard = ({ guard: behind }: { guard(fn: () => unknown): unknown }) => behind(() => 1);
    expect(await run({}, append)).toBe('stamped');
    expect(await run({ stamp: false }, append)).toBe('gated');
    expect(await run({ locks: scene().store({}, { tokenScope: 'none' }) }, append)).toBe('gated');
    expect(await run({}, guard)).toBe('gated');
    expect(await run({ records: 'none' }, guard)).toBe('gated');
    expect(await run({}, async (context) => {
      await append(context);
      guard(context);
    })).toBe('gated');
    expect(await run({}, () => 1)).toBe('none');
    expect(scene().records.written.map(({ token }) => token)).toEqual([1, null, null, 1]);
  });

  test('S1: without tokens the report has none, and an unanswered end is unconfirmed, not expired', async () => {
    const locks = scene().store({ release: () => {} }, { tokenScope: 'none' });
    let token: number | null = -1;
    const work = (context: { token: number | null }): void => { token = context.token; };
    const report = await toTheEnd(scene(), scene().attempt({ locks, work }).start());
    expect(report).toMatchObject({ outcome: 'completed', token: null, lease: 'unconfirmed' });
    expect(token).toBeNull();
  });

  test('S8: the report carries id, session and labels', async () => {
    const report = await createAttempt({
      session: 's', attemptId: 'mine', labels: { job: '7' }, clock: scene().clock, records: 'none',
      locks: scene().store(), work: ({ attemptId }) => attemptId,
    }).start();
    expect(report).toMatchObject({ attemptId: 'mine', session: 's', labels: { job: '7' }, value: 'mine' });
  });
});
