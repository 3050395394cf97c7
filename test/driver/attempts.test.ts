/**
 * Whole attempts, where a mutant of the driver went unnoticed by all other fast tests (`npm run mutants`): times that do not
 * start at zero, what is asked of a store and of records, what a cleanup is told, who may write while a window is open.
 */
import { describe, expect, test } from 'vitest';
import type { AttemptOptions, WorkContext } from '../../src/index.js';
import type { LeaseNotice } from '../../src/locks/lock-store.js';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const later = (): Promise<void> => scene().clock.advance(1_000); // no time below is counted from zero
const granting = { acquire: (ask: { grant(): unknown }) => void ask.grant() };

describe('times', () => {
  test('the trace is counted from the start, and so are the budgets and what sections take of them', async () => {
    await later();
    const signalled: number[] = [];
    const gate = deferred();
    const attempt = scene().attempt({
      timeoutMs: 100,
      work: async (context: WorkContext) => {
        const begun = scene().clock.now();
        context.signal.addEventListener('abort', () => signalled.push(scene().clock.now() - begun));
        await scene().clock.pause(40);
        await context.section('still', () => gate.promise, { pauseTimeout: true });
        await untilAborted(context);
      },
    });
    await scene().clock.advance(300); // made and not started: of no account
    const run = attempt.start();
    await scene().clock.advance(540);
    gate.resolve(null);
    await scene().clock.advance(60);
    expect(signalled).toEqual([600]); // 40, and 60 after the section
    const { trace, timings } = await scene().now(run);
    const at = (event: string) => trace.transitions.find((one) => one.event === event)?.at;
    expect([trace.transitions[0]?.at, at('section.entered still'), at('section.left still')]).toEqual([0, 40, 540]);
    expect(timings).toMatchObject({ waitedMs: 0, heldMs: 600, ranMs: 600, abortToReleaseMs: 0 });
  });

  test('a wait is counted to its grant, or to its end', async () => {
    await later();
    const slow = scene().store({ acquire: (ask) => void scene().clock.setTimeout(() => ask.grant(), 30) });
    const busy = scene().store({ acquire: (ask) => void scene().clock.setTimeout(() => ask.busy(), 20) });
    for (const [locks, waitedMs] of [[slow, 30], [busy, 20]] as const) {
      const run = scene().attempt({ locks, work: () => 1 }).start();
      await scene().clock.advance(100);
      expect((await scene().now(run)).timings).toMatchObject({ waitedMs });
    }
    const aborted = scene().attempt({ work: () => 1 });
    aborted.abort();
    const none = { waitedMs: null, heldMs: null, ranMs: null, abortToReleaseMs: 0 };
    expect(await aborted.start()).toMatchObject({ timings: none, trace: { transitions: [{ at: 0, from: 'idle' }] } });
    const controller = scene().controller();
    controller.abort();
    expect((await scene().attempt({ signal: controller.signal, work: () => 1 }).start()).timings).toEqual(none); // nothing was asked
  });
});

describe('starting and watching', () => {
  test('S10 L5: started once, however often it is asked to; never after its end', async () => {
    await later();
    const store = scene().store(granting);
    const gate = deferred();
    const attempt = scene().attempt({ locks: store, signal: scene().controller().signal, work: () => gate.promise });
    const run = attempt.start();
    await scene().clock.advance(50);
    void attempt.start();
    gate.resolve(1);
    const report = await scene().now(run);
    expect([store.asks.length, report.timings.ranMs]).toEqual([1, 50]);
    const ended = scene().attempt({ signal: scene().controller().signal, work: () => 1 });
    ended.abort();
    await ended.start(); // leaves no listener on the signal
  });

  test('S8: after the end nobody is told any more, and nothing is in doubt', async () => {
    let progress: WorkContext['progress'] = () => {};
    const attempt = scene().attempt({ settleMs: 0, work: (context: WorkContext) => {
      ({ progress } = context);
      return never();
    } });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    await scene().now(run);
    const told: unknown[] = [];
    attempt.subscribe((snapshot) => told.push(snapshot));
    progress('still at it');
    await scene().clock.advance(100_000);
    expect([told, attempt.snapshot().inDoubt]).toEqual([[], false]);
    expect(attempt.abort()).toMatchObject({ accepted: false, state: 'released', abortedBy: 'user' });
  });

  test('progress without a note is no news to who watches', async () => {
    const notes: unknown[] = [];
    const attempt = scene().attempt({ work: ({ progress }: WorkContext) => {
      progress();
      progress('half');
      progress('x'.repeat(300));
      progress();
    } });
    const before: unknown[] = [];
    attempt.subscribe(({ note, state }) => void (state === 'running.working' ? notes : before).push(note?.length ?? null));
    await scene().now(attempt.start());
    expect(notes).toEqual([null, 4, 256]);
  });

  test('S9: a classifyAbort that throws is complained about once, and taken for user', async () => {
    const controller = scene().controller();
    const run = scene().attempt({ signal: controller.signal, classifyAbort: () => { throw new Error('no'); }, work: untilAborted }).start();
    await scene().settled();
    controller.abort(new Error('stop'));
    expect(await scene().now(run)).toMatchObject({ abortedBy: 'user' });
    expect(await scene().warned()).toEqual(['ATTEMPT_CALLBACK_THREW']);
  });
});

describe('what a store is asked, and what it answers', () => {
  test('S14: its own error is the cause', async () => {
    const wrong = new Error('it could not tell');
    const run = scene().attempt({ locks: scene().store({ acquire: (ask) => ask.unknown(wrong) }), work: () => 1 }).start();
    const report = await scene().now(run);
    expect(report.error).toMatchObject({ code: 'LOCK_STORE_FAILED' });
    expect((report.error as Error).cause).toBe(wrong);
  });

  test('S14: an answer that is none names what it was', async () => {
    const answers = [[{ status: 'maybe' }, '"maybe"'], [{ status: 'granted' }, 'a lease without token'], [null, 'undefined']] as const;
    for (const [answer, named] of answers) {
      const run = scene().attempt({ locks: scene().store({ acquire: (ask) => ask.garbage(answer) }), work: () => 1 }).start();
      expect(((await scene().now(run)).error as Error & { cause: Error }).cause.message).toContain(named);
    }
  });

  test('S1: the floor of the tokens is asked of records that know it, where lines are stamped', async () => {
    const floorOf = async (options: Partial<AttemptOptions<unknown>>) => {
      const store = scene().store(granting);
      await scene().now(scene().attempt({ locks: store, work: () => 1, ...options }).start());
      const { tokenFloor } = store.asks[0]!.request;
      return tokenFloor && await tokenFloor();
    };
    const knowing = Object.assign(Object.create(scene().records) as object, {
      tokenFloor: (session: string) => Promise.resolve(session === 'session' ? 41 : 0),
    }) as never;
    expect(await floorOf({ records: knowing })).toBe(41);
    expect(await floorOf({ records: knowing, stamp: false })).toBeUndefined();
    expect(await floorOf({})).toBeUndefined();
  });

  test('S7: each request of an attempt has an owner of its own', async () => {
    const store = scene().store(granting);
    const run = scene().attempt({ locks: store, work: async ({ yieldLock }: WorkContext) => {
      await yieldLock(() => {});
      await yieldLock(() => {});
    } }).start();
    await scene().now(run);
    const owners = store.asks.map(({ request }) => request.owner);
    expect(new Set(owners).size).toBe(3);
    expect(owners.map((owner) => /~\d$/.exec(owner)?.[0] ?? '')).toEqual(['', '~2', '~3']);
  });

  test('S12: a loss that is told in the very tick of listening: no session is opened', async () => {
    const store = scene().store({ acquire: (ask) => {
      const lease = ask.grant();
      lease.onNotice = (fn: (notice: LeaseNotice) => void) => {
        fn({ type: 'lost', reason: 'gone' });
        return () => {};
      };
      store.free(lease.owner);
    } });
    const report = await scene().now(scene().attempt({ locks: store, work: () => 1 }).start());
    expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'leaseLost', lease: 'lost' });
    expect(scene().records.opened).toBe(0);
  });
});

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
