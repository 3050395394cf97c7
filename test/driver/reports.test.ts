/** What a report says of a failure: whose error it is, what it is caused by, and what the messages name. */
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { busyError } from '../../src/driver/report-of.js';
import { AttemptError, unwrap, type WorkContext } from '../../src/index.js';
import type { Holder } from '../../src/locks/lock-store.js';
import { never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const messageOf = (error: unknown): string => (error as Error).message;
const holder = (more: Partial<Holder>): Holder => ({
  attemptId: 'theirs', owner: 'o', token: 1, pid: 7, host: hostname(), since: 1_000, until: null, state: 'running.working', labels: {}, note: null,
  sameProcess: false, remark: null, ...more,
} as Holder);

describe('a busy lock', () => {
  test.each<[string, Holder | null, number, number | null, string]>([
    ['nobody was told', null, 50, null,
      's was refused us, or not locked for us within 50 ms of waiting; who holds it, if anybody does, was not told. '],
    ['one try', holder({}), 0, null, 's is locked, after one try: held for 4 s by attempt theirs (running, pid 7). '],
    ['until when', holder({ until: 7_000 }), 50, 2_000,
      's is locked, after 50 ms of waiting: held for 4 s by attempt theirs (running, pid 7); free in 2 s at the latest, unless it is renewed. '],
    ['until a time that has passed', holder({ until: 4_000 }), 50, 0, 's is locked, after 50 ms of waiting: held for 4 s'],
    ['one that cannot be shown', { until: 'soon' } as never, 50, null, 's is locked, after 50 ms of waiting: the holder cannot be shown. '],
  ])('%s: says who holds it, since when and until when, as far as that is known', (_what, held, waitMs, retryAfterMs, message) => {
    const error = busyError('s', held, waitMs, 5_000);
    expect(error).toMatchObject({ code: 'LOCK_BUSY', holder: held, retryAfterMs });
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  test('a holder that is none, or was not told, is null', async () => {
    const told = scene().store({ acquire: (ask) => ask.busy('somebody' as never) });
    const silent = scene().store({ acquire: (ask) => { ask.request.signal.addEventListener('abort', () => ask.busy(undefined)); } });
    for (const locks of [told, silent]) {
      const run = scene().attempt({ locks, waitMs: 20, work: () => 1 }).start();
      await scene().clock.advance(20);
      expect(((await scene().now(run)).error as AttemptError).holder).toBeNull();
    }
  });
});

describe('a start that failed', () => {
  test('S14: an error of ours that a store answers with is the cause, not the error', async () => {
    const theirs = new AttemptError('CONFIG_INVALID', 'the table is missing');
    const run = scene().attempt({ locks: scene().store({ acquire: (ask) => ask.unknown(theirs) }), work: () => 1 }).start();
    expect((await scene().now(run)).error).toMatchObject({ code: 'LOCK_STORE_FAILED', cause: theirs });
  });

  test('an error of ours that the records throw is the error; another is its cause; without one the limit is named', async () => {
    const openedBy = async (open: () => never | Promise<never>) => {
      const run = scene().attempt({ openMs: 70, records: { open }, work: () => 1 }).start();
      await scene().clock.advance(70);
      return (await scene().now(run)).error as AttemptError;
    };
    const [ours, theirs] = [new AttemptError('SESSION_INVALID', 'a directory'), new Error('no such table')];
    expect(await openedBy(() => { throw ours; })).toBe(ours);
    const other = await openedBy(() => { throw theirs; });
    expect(other).toMatchObject({ code: 'SESSION_OPEN_FAILED', cause: theirs });
    expect(other.message).toContain('no such table');
    const late = await openedBy(never);
    expect(late.code).toBe('SESSION_OPEN_FAILED');
    expect(late.message).toContain('after openMs (70)');
    expect(messageOf(await openedBy(() => null as never))).toContain('records.open() must give a session');
  });

  test('a session that cannot be one is the error, not a failure of the store that met it', async () => {
    const [ours, theirs] = [new AttemptError('SESSION_INVALID', 's: a directory'), new AttemptError('UNSAFE_FILESYSTEM', 'a network')];
    const refusedBy = async (error: AttemptError) => {
      const run = scene().attempt({ locks: scene().store({ acquire: (ask) => ask.reject(error) }), work: () => 1 }).start();
      return (await scene().now(run)).error;
    };
    expect(await refusedBy(ours)).toBe(ours);
    expect(await refusedBy(theirs)).toMatchObject({ code: 'LOCK_STORE_FAILED', cause: theirs });
  });

  test('S14: a store that never answers is named by its limit, one that fails by its error', async () => {
    const silent = scene().attempt({ locks: scene().store({ acquire: () => {} }), waitMs: 0, answerMs: 30, work: () => 1 });
    const run = silent.start();
    await scene().clock.advance(100_000);
    const { error } = await scene().now(run);
    expect(error).toMatchObject({ code: 'LOCK_STORE_FAILED' });
    expect(messageOf(error)).toContain('no answer within answerMs (30)');
    const failing = scene().attempt({ locks: scene().store({ acquire: (ask) => ask.reject(new Error('down')) }), work: () => 1 });
    expect(messageOf((await scene().now(failing.start())).error)).toContain('could not be asked for: down');
  });
});

describe('a lease that was lost', () => {
  test.each([['taken over', 'taken over.'], ['', 'no reason given'], [undefined, 'no reason given'], [null, 'no reason given']])(
    'S12: for the reason %j', async (reason, said) => {
      const store = scene().store();
      const run = scene().attempt({ locks: store, work: untilAborted }).start();
      await scene().settled();
      store.asks[0]!.lease!.notify({ type: 'lost', reason: reason as never });
      const { error } = await scene().now(run);
      expect(error).toMatchObject({ code: 'LEASE_LOST' });
      expect(messageOf(error)).toContain(`lost while the attempt ran: ${said}`);
      expect('cause' in (error as object)).toBe(false);
    },
  );

  test('S12: told in a window, of the lease that was given up for it, is no loss', async () => {
    const store = scene().store();
    const run = scene().attempt({ locks: store, work: ({ yieldLock }: WorkContext) => yieldLock(() => {
      store.asks[0]!.lease!.notify({ type: 'lost', reason: 'it was removed' });
      return 'undisturbed';
    }) }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', value: { value: 'undisturbed', token: 2 }, lease: 'released' });
  });
});

describe('a release', () => {
  test('S6: that was never confirmed is complained about, in both its words; one that was is not', async () => {
    for (const [leaseEnds, lease] of [[true, 'expired'], [false, 'unconfirmed']] as const) {
      const locks = scene().store({ release: () => {} }, { leaseMs: 2_000, tokenScope: leaseEnds ? 'durable' : 'none' });
      const run = scene().attempt({ locks, work: () => 1 }).start();
      await scene().clock.advance(20_000);
      expect((await scene().now(run)).lease).toBe(lease);
    }
    expect(await scene().warned()).toEqual(['ATTEMPT_UNCONFIRMED', 'ATTEMPT_UNCONFIRMED']);
    await scene().now(scene().attempt({ work: () => 1 }).start());
    expect(await scene().warned()).toHaveLength(2);
  });

  test('S14: a store that could not tell is asked again before its time to answer is over', async () => {
    const locks = scene().store({ release: (ask) => (locks.releases.length === 1 ? ask.answer('unknown') : ask.honestly()) });
    const run = scene().attempt({ locks, answerMs: 60_000, work: () => 1 }).start();
    await scene().clock.advance(1_000);
    const report = await scene().now(run);
    expect([report.lease, messageOf(report.releaseError)]).toEqual(['released', 'the store could not tell']);
  });
});

describe('who aborted', () => {
  test('work that throws the caller\'s own reason has said nothing new', async () => {
    const reason = new RangeError('the caller\'s own');
    const attempt = scene().attempt({ work: (context: WorkContext) => untilAborted(context).catch(() => { throw reason; }) });
    const run = attempt.start();
    await scene().settled();
    attempt.abort(reason);
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', reason, workError: undefined });
  });

  test('S9: the reason of a signal is thrown where it ended the attempt, not where it came too late', async () => {
    for (const isFirst of [true, false]) {
      const controller = scene().controller();
      const attempt = scene().attempt({ signal: controller.signal, settleMs: 0, work: never });
      const run = attempt.start();
      await scene().settled();
      if (!isFirst) attempt.abort('by hand', { by: 'shutdown' });
      controller.abort('by signal');
      const report = await scene().now(run);
      expect(report).toMatchObject({ abortedBy: isFirst ? 'user' : 'shutdown' });
      let thrown: unknown;
      try {
        unwrap(report);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBe(isFirst ? 'by signal' : report.error);
    }
  });
});
