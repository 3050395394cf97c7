/**
 * Whole attempts, where a mutant of the driver went unnoticed by all other fast tests (`npm run mutants`): times that do not
 * start at zero, what is asked of a store and of records, and who is told.
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

  test('L5: ending a subscription after the end, or twice, is nothing', async () => {
    const attempt = scene().attempt({ work: () => 1 });
    const states: string[] = [];
    const end = attempt.subscribe(({ state }) => states.push(state));
    await scene().now(attempt.start());
    expect([end(), end(), states.at(-1)]).toEqual([undefined, undefined, 'released']);
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
