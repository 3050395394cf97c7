/** The two writers of an attempt, the work's and the cleanup's: when each passes, when it is refused, and with which word. */
import { describe, expect, test } from 'vitest';
import type { AttemptOptions, SessionWriter, WorkContext } from '../../src/index.js';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const codeOf = (written: Promise<unknown>): Promise<unknown> => written.then(() => 'written', (error: { code: unknown }) => error.code);

describe('the cleanup\'s writer', () => {
  test('R2: writes under the token of the attempt, when the work\'s own is refused already', async () => {
    let work!: SessionWriter;
    const met: unknown[] = [];
    const report = await scene().now(scene().attempt({
      work: ({ session }: WorkContext) => { work = session; },
      cleanup: async ({ session }) => {
        await session.append({ last: true });
        met.push(await codeOf(work.append({ late: true })));
      },
    }).start());
    expect([report.fencing, met, scene().records.written]).toEqual(['stamped', ['WRITER_CLOSED'], [{ token: 1, record: { last: true } }]]);
  });

  test('S5: is refused when the cleanup is over; refusals of both are counted, also after the end', async () => {
    const writers: SessionWriter[] = [];
    const attempt = scene().attempt({
      work: ({ session }: WorkContext) => void writers.push(session),
      cleanup: ({ session }) => {
        writers.push(session);
        return never();
      },
      cleanupMs: 50,
    });
    const run = attempt.start();
    await scene().clock.advance(50);
    await scene().now(run);
    const refused = await Promise.all([writers[0]!, writers[1]!, writers[1]!].map((session) => codeOf(session.append({ late: true }))));
    expect(refused).toEqual(['WRITER_CLOSED', 'WRITER_CLOSED', 'WRITER_CLOSED']);
    expect(attempt.snapshot().refusedWrites).toBe(3);
    await writers[0]!.append({}).catch((error: unknown) => expect(String(error)).toContain('the attempt with token 1'));
  });

  test('the weaker protection of both is told', async () => {
    const fencing = async (work: AttemptOptions<unknown>['work'], cleanup: AttemptOptions<unknown>['cleanup']) =>
      (await scene().now(scene().attempt({ work, cleanup: cleanup! }).start())).fencing;
    const none = (): void => {};
    const guarded = ({ guard }: WorkContext): void => guard(none);
    expect(await fencing(none, none)).toBe('none');
    expect(await fencing(({ session }) => session.append({ a: 1 }), none)).toBe('stamped');
    expect(await fencing(guarded, ({ session }) => session.append({ a: 1 }))).toBe('gated');
    expect(await fencing(({ session }) => session.append({ a: 1 }), ({ session }) => session.guard(none))).toBe('gated');
  });
});

describe('the work\'s writer', () => {
  test('S5: is closed when the work has returned, also while a write it began is waited for', async () => {
    const write = deferred();
    let session!: SessionWriter;
    const attempt = scene().attempt({ work: (context: WorkContext) => {
      session = context.session;
      void context.guard(() => write.promise);
    } });
    const run = attempt.start();
    await scene().settled();
    expect(attempt.snapshot()).toMatchObject({ state: 'running.working', workSettled: true });
    expect(await codeOf(session.append({ late: true }))).toBe('WRITER_CLOSED');
    expect(attempt.snapshot().refusedWrites).toBe(1);
    write.resolve(null);
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed' });
  });

  test('S5 L8: closed, and not given up for a while, where the work has left a window behind that waits for a write', async () => {
    const write = deferred();
    let session!: SessionWriter;
    let window: Promise<unknown> = Promise.resolve();
    const run = scene().attempt({ work: (context: WorkContext) => {
      session = context.session;
      void context.guard(() => write.promise);
      window = codeOf(context.yieldLock(() => {}));
    } }).start();
    await scene().settled();
    expect(await codeOf(session.append({ late: true }))).toBe('WRITER_CLOSED');
    write.resolve(null);
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', lease: 'released' });
    expect(await scene().now(window)).not.toBe('written');
  });

  /** A work that writes one record while its lease is in doubt. */
  async function inDoubt(then: (context: WorkContext) => Promise<never> = untilAborted) {
    const locks = scene().store();
    const write = deferred();
    const written: unknown[] = [];
    const attempt = scene().attempt({ locks, answerMs: 60, settleMs: 100, work: async (context: WorkContext) => {
      await write.promise;
      void codeOf(context.session.append({ a: 1 })).then((code) => written.push(code));
      return then(context);
    } });
    const run = attempt.start();
    await scene().settled();
    const { lease } = locks;
    lease.fixedDeadline = scene().clock.now();
    write.resolve(null);
    await scene().settled();
    expect([written, attempt.snapshot().inDoubt]).toEqual([[], true]);
    return { attempt, run, lease, written };
  }

  test('S14: in doubt it waits for the answer, and writes when the lease is renewed', async () => {
    const { attempt, run, lease, written } = await inDoubt();
    await scene().clock.advance(20);
    expect(written).toEqual([]);
    lease.fixedDeadline = null;
    await scene().clock.advance(5);
    expect(written).toEqual(['written']);
    attempt.abort();
    await scene().now(run);
  });

  test('S14: in doubt it waits for answerMs, and is then refused', async () => {
    const { attempt, run, lease, written } = await inDoubt();
    await scene().clock.advance(55);
    expect(written).toEqual([]);
    await scene().clock.advance(5);
    expect(written).toEqual(['LEASE_IN_DOUBT']);
    lease.fixedDeadline = null;
    attempt.abort();
    await scene().now(run);
  });

  test('S5: an abort answers who waits in doubt in the same tick, whatever the work does', async () => {
    const { attempt, run, lease, written } = await inDoubt(never);
    attempt.abort();
    await scene().settled();
    expect(written).toEqual(['WRITER_CLOSED']);
    lease.fixedDeadline = null;
    await scene().clock.advance(100);
    await scene().now(run);
  });
});

describe('an opening that is under way', () => {
  test('S11: is told at once that nobody wants it any more, before the lock is given back', async () => {
    const locks = scene().store({ release: () => {} });
    let told = false;
    const opening = deferred();
    const attempt = scene().attempt({
      locks, work: () => 1,
      records: { open: ({ signal }) => {
        signal.addEventListener('abort', () => { told = true; });
        return opening.promise as never;
      } },
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    expect(told).toBe(true);
    locks.release.honestly();
    await scene().now(run);
    opening.resolve({ append: () => {}, close: () => {}, fencing: 'stamped' });
  });

  test('S10: one that waits for a lease in doubt goes on when that is renewed, and not before', async () => {
    const locks = scene().store({ acquire: (ask) => { ask.grant().fixedDeadline = 0; } });
    const attempt = scene().attempt({ locks, work: () => 'ran' });
    const run = attempt.start();
    await scene().clock.advance(20);
    expect(attempt.snapshot().state).toBe('locked');
    locks.lease.fixedDeadline = null;
    await scene().clock.advance(5);
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', value: 'ran', lease: 'released' });
  });

  test('S10 L5: one that waits for a lease in doubt ends with an abort; no work starts', async () => {
    const locks = scene().store({ acquire: (ask) => { ask.grant().fixedDeadline = 0; } });
    let ran = false;
    const attempt = scene().attempt({ locks, work: () => { ran = true; } });
    const run = attempt.start();
    await scene().clock.advance(20);
    expect(attempt.snapshot().state).toBe('locked');
    attempt.abort();
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', lease: 'released', settled: null });
    expect([ran, scene().records.opened, scene().records.closed]).toEqual([false, 1, 1]);
  });
});

test('S9: a timeout is no complaint where nobody asked to be told', async () => {
  const run = scene().attempt({ timeoutMs: 50, work: untilAborted }).start();
  await scene().clock.advance(50);
  expect(await scene().now(run)).toMatchObject({ abortedBy: 'timeout' });
  expect(await scene().warned()).toEqual([]);
});
