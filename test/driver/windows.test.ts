/** Windows of the work, edge by edge: what is refused while one is asked for, what it ends with, and who hears of its end. */
import { describe, expect, test } from 'vitest';
import type { AttemptOptions, WorkContext } from '../../src/index.js';
import { deferred, never, useScene } from '../support/scene.js';

const scene = useScene();
const codeOf = (done: Promise<unknown>): Promise<unknown> => done.then(() => 'done', (error: { code: unknown }) => error.code);

/** What nobody has heard meanwhile. Who listens for that otherwise would end the tests. */
async function unheard(fn: () => Promise<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  const hear = (reason: unknown): void => void found.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear);
  try {
    await fn();
    await new Promise(setImmediate);
  } finally {
    process.off('unhandledRejection', hear);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return found;
}

describe('writes around a window', () => {
  test('S13: none passes from the call of yieldLock on, though the lock is held until those before have ended', async () => {
    const write = deferred();
    const met: unknown[] = [];
    const attempt = scene().attempt({ work: async ({ session, guard, yieldLock }: WorkContext) => {
      void guard(() => write.promise);
      const window = yieldLock(() => 'open');
      met.push(attempt.snapshot().state, await codeOf(session.append({ a: 1 })));
      write.resolve(null);
      met.push((await window).value, await codeOf(session.append({ b: 2 })));
    } });
    expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'completed', token: 2 });
    expect(met).toEqual(['running.working', 'LOCK_YIELDED', 'open', 'done']);
  });

  test('S13: where those before do not end the lock is kept: writes pass again, and another window may be asked for', async () => {
    const write = deferred();
    const met: unknown[] = [];
    const run = scene().attempt({ settleMs: 50, work: async ({ session, guard, yieldLock }: WorkContext) => {
      void guard(() => write.promise);
      met.push(await codeOf(yieldLock(() => {})), await codeOf(session.append({ a: 1 })));
      write.resolve(null);
      met.push(await codeOf(yieldLock(() => {})));
    } }).start();
    await scene().clock.advance(50);
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', token: 2 });
    expect(met).toEqual(['WRITES_UNSETTLED', 'done', 'done']);
  });

  test('S5: after an abort they are refused as any that come too late, though the window\'s function goes on', async () => {
    const met: unknown[] = [];
    const attempt = scene().attempt({ settleMs: 1_000, work: ({ session, guard, yieldLock }: WorkContext) => yieldLock(async () => {
      met.push(await codeOf(session.append({ a: 1 })));
      attempt.abort();
      met.push(await codeOf(session.append({ b: 2 })), await codeOf((async () => guard(() => {}))()));
    }) });
    expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'aborted', abortedBy: 'user' });
    expect([met, attempt.snapshot().refusedWrites]).toEqual([['LOCK_YIELDED', 'WRITER_CLOSED', 'WRITER_CLOSED'], 2]);
  });

  test('S13: an abort ends the waiting for them, and no window is opened', async () => {
    let opened = false;
    let error: unknown;
    const write = deferred();
    const attempt = scene().attempt({ settleMs: 1_000, work: async ({ guard, yieldLock }: WorkContext) => {
      void guard(() => write.promise);
      error = await yieldLock(() => { opened = true; }).catch((thrown: unknown) => thrown);
      write.resolve(null);
    } });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('stop');
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', settled: true });
    expect([opened, error]).toMatchObject([false, { abortedBy: 'user', cause: 'stop' }]);
  });

  test('with the lock in hand again they pass, also while it is still being found out what others wrote', async () => {
    const [asked, told] = [deferred(), deferred<[]>()];
    let token = 1;
    const locks = scene().store({ acquire: (ask) => void ask.grant({ token: (token += 5) }) });
    const records = Object.assign(Object.create(scene().records) as object, {
      recordsBetween: () => {
        asked.resolve(null);
        return told.promise;
      },
    }) as never;
    const run = scene().attempt({ locks, records, work: async ({ session, yieldLock }: WorkContext) => {
      const window = yieldLock(() => {});
      await asked.promise;
      session.appendSync({ a: 1 });
      told.resolve([]);
      return (await window).changedBy;
    } }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', value: [] });
    expect(scene().records.written).toEqual([{ token: 11, record: { a: 1 } }]);
  });

  test('what others wrote is told where tokens last, by whatever store', async () => {
    for (const [tokenScope, changedBy] of [['durable', []], ['process', []], ['until-failover', null], ['none', null]] as const) {
      const locks = scene().store({}, { tokenScope });
      const run = scene().attempt({ locks, work: async ({ yieldLock }: WorkContext) => (await yieldLock(() => {})).changedBy }).start();
      expect((await scene().now(run)).value, tokenScope).toEqual(changedBy);
    }
    const records = Object.assign(Object.create(scene().records) as object, { recordsBetween: undefined }) as never;
    for (const options of [{ records }, { records: 'none' }] as Partial<AttemptOptions<unknown>>[]) {
      const work = async ({ yieldLock }: WorkContext) => (await yieldLock(() => {})).changedBy;
      expect((await scene().now(scene().attempt({ ...options, work }).start())).value).toBeNull();
    }
  });
});

describe('how a window ends', () => {
  test('S9: with its function\'s own error, where an abort came meanwhile too', async () => {
    const own = new RangeError('own');
    let error: unknown;
    const attempt = scene().attempt({ settleMs: 1_000, work: async ({ yieldLock }: WorkContext) => {
      error = await yieldLock(() => {
        attempt.abort('stop');
        throw own;
      }).catch((thrown: unknown) => thrown);
      throw error;
    } });
    const report = await scene().now(attempt.start());
    expect([report.outcome, report.workError, error]).toEqual(['aborted', own, own]);
  });

  test('S10: none is begun for an attempt that has ended', async () => {
    let yieldLock!: WorkContext['yieldLock'];
    await scene().now(scene().attempt({ work: (context: WorkContext) => { ({ yieldLock } = context); } }).start());
    let opened = false;
    expect(await codeOf(yieldLock(() => { opened = true; }))).toBe('WRITER_CLOSED');
    expect(opened).toBe(false);
  });
});

describe('who hears of its end', () => {
  test('what work that was told to end still asks for, and does not await, is no rejection that nobody heard', async () => {
    const found = await unheard(async () => {
      const attempt = scene().attempt({ settleMs: 0, work: ({ signal, yieldLock }: WorkContext) => {
        signal.addEventListener('abort', () => void yieldLock(() => {}));
        return never();
      } });
      const run = attempt.start();
      await scene().settled();
      attempt.abort();
      await scene().now(run);
    });
    expect(found).toEqual([]);
  });

  test('a second one asked for in the first, and not awaited, stays loud: the work has made a mistake', async () => {
    const found = await unheard(async () => {
      const run = scene().attempt({ work: ({ yieldLock }: WorkContext) => yieldLock(() => { void yieldLock(() => {}); }) }).start();
      expect(await scene().now(run)).toMatchObject({ outcome: 'completed' });
    });
    expect(found).toMatchObject([{ code: 'LOCK_YIELDED' }]);
  });
});
