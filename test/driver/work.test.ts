/**
 * Whole attempts, where a mutant of the driver went unnoticed by all other fast tests: what is taken for a session, what a
 * cleanup is told, what may be written around a window, which errors are the abort itself.
 */
import { describe, expect, test } from 'vitest';
import type { AttemptOptions, WorkContext } from '../../src/index.js';
import { never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const granting = { acquire: (ask: { grant(): unknown }) => void ask.grant() };

describe('a session that is opened', () => {
  test.each([
    ['nothing', null], ['no append', { fencing: 'stamped', close: () => {} }], ['no close', { fencing: 'gated', append: () => {} }],
    ['another fencing', { fencing: 'perhaps', append: () => {}, close: () => {} }],
  ])('S14: with %s is none', async (_what, opened) => {
    const run = scene().attempt({ records: { open: () => opened as never }, work: () => 1 }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'notStarted', error: { code: 'SESSION_OPEN_FAILED' }, lease: 'released' });
  });

  test.each(['stamped', 'gated'] as const)('with the fencing %s is one', async (fencing) => {
    const written: unknown[] = [];
    const open = () => ({ fencing, append: (record: unknown) => void written.push(record), close: () => {} });
    const work = ({ session }: WorkContext) => session.append({ a: 1 });
    const report = await scene().now(scene().attempt({ records: { open }, work }).start());
    expect([report.outcome, report.fencing, written]).toEqual(['completed', fencing, [{ a: 1 }]]);
  });
});

describe('what a cleanup is told', () => {
  const cleanedUp = async (how: Partial<AttemptOptions<unknown>>, abort = false) => {
    const told: unknown[] = [];
    const attempt = scene().attempt({
      work: () => 1, settleMs: 0, ...how,
      cleanup: ({ outcome, abortedBy, settled }) => void told.push([outcome, abortedBy, settled]),
    });
    const run = attempt.start();
    await scene().settled();
    if (abort) attempt.abort();
    await scene().now(run);
    return told;
  };

  test('how the work ended, who aborted it, and whether it has settled', async () => {
    expect(await cleanedUp({})).toEqual([['completed', null, true]]);
    expect(await cleanedUp({ work: () => { throw new Error('no'); } })).toEqual([['failed', null, true]]);
    expect(await cleanedUp({ work: never }, true)).toEqual([['aborted', 'user', false]]);
    expect(await cleanedUp({ work: untilAborted, settleMs: 100 }, true)).toEqual([['aborted', 'user', true]]);
  });

  test('why its time is over: its own limit, or the lock was lost', async () => {
    for (const lost of [false, true]) {
      const by: unknown[] = [];
      const store = scene().store(granting);
      const run = scene().attempt({
        locks: store, cleanupMs: 50, work: () => 1,
        cleanup: ({ signal }) => {
          signal.addEventListener('abort', () => by.push((signal.reason as { abortedBy: unknown }).abortedBy));
          return never();
        },
      }).start();
      await scene().settled();
      if (lost) store.asks[0]!.lease!.notify({ type: 'lost', reason: 'gone' });
      await scene().clock.advance(50);
      await scene().now(run);
      expect(by).toEqual([lost ? 'leaseLost' : 'timeout']);
    }
  });
});

describe('windows', () => {
  test('its function\'s own error comes out, with the lock in hand again; nothing is written meanwhile', async () => {
    const own = new RangeError('own');
    const codes: unknown[] = [];
    const run = scene().attempt({ work: async ({ yieldLock, session, guard }: WorkContext) => {
      const caught = await yieldLock(() => {
        for (const write of [() => session.appendSync({ a: 1 }), () => guard(() => {})]) {
          try {
            write();
            codes.push('written');
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        throw own;
      }).catch((error: unknown) => error);
      expect(caught).toBe(own);
      await session.append({ b: 2 });
      await yieldLock(() => 'a second one');
      return 'done';
    } }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', value: 'done', token: 3 });
    expect(codes).toEqual(['LOCK_YIELDED', 'LOCK_YIELDED']);
    expect(scene().records.written).toEqual([{ token: 2, record: { b: 2 } }]);
  });

  test('what was changed meanwhile: nothing where nobody had the lock between, not known where there are no tokens', async () => {
    const changed = async (options: Partial<AttemptOptions<unknown>>) => {
      const report = await scene().now(scene().attempt({
        ...options, work: async ({ yieldLock }: WorkContext) => (await yieldLock(() => {})).changedBy,
      }).start());
      return report.value;
    };
    expect(await changed({})).toEqual([]);
    expect(await changed({ stamp: false })).toBeNull();
    expect(await changed({ locks: scene().store(granting, { tokenScope: 'none' }) })).toBeNull();
    const asked: number[][] = [];
    const recordsBetween = (_: string, above: number, below: number) => {
      asked.push([above, below]);
      return Promise.resolve([]);
    };
    const records = Object.assign(Object.create(scene().records) as object, { recordsBetween }) as never;
    let token = 1;
    await changed({ records });
    const skipping = scene().store({ acquire: (ask) => void ask.grant({ token: (token += 5) }) });
    await changed({ records, locks: skipping });
    expect(asked).toEqual([[6, 11]]); // the first pair was 1 and 2: nobody between
  });
});

describe('errors of an aborted report', () => {
  test.each<[string, (reason: unknown) => unknown, boolean]>([
    ['the signal\'s own reason', (reason) => reason, false],
    ['an AbortError of the platform', () => new DOMException('stopped', 'AbortError'), false],
    ['an error of its own', () => new RangeError('own'), true],
    ['null', () => null, true],
    ['an error that cannot be looked at', () => ({ get name() { throw new Error('hidden'); } }), true],
  ])('what the work throws: %s', async (_what, made, isOwn) => {
    let threw: unknown;
    const attempt = scene().attempt({ work: (context: WorkContext) => untilAborted(context).catch((reason: unknown) => {
      threw = made(reason);
      throw threw;
    }) });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    const report = await scene().now(run);
    expect(report).toMatchObject({ outcome: 'aborted', settled: true, error: { abortedBy: 'user' } });
    if (isOwn) expect(report.workError).toBe(threw);
    else expect(report.workError).toBeUndefined();
  });
});
