/**
 * Yield windows: the work gives the lock up and takes it back. Against a scripted store, so that every answer of a
 * window can come early, late, wrong or not at all; against memory locks where others are to get in.
 */
import { describe, expect, test } from 'vitest';
import { memoryLocks, type WorkContext, type Yielded } from '../../src/index.js';
import { toTheEnd } from '../support/endings.js';
import { deferred, until, useScene } from '../support/scene.js';

const scene = useScene();

/** Work that yields once, and says how that ended. */
function yielding(inside: (context: WorkContext) => unknown = () => 'value') {
  const met: { yielded?: Yielded<unknown>; error?: unknown } = {};
  const work = async (context: WorkContext): Promise<string> => {
    try {
      met.yielded = await context.yieldLock(() => inside(context));
    } catch (error) {
      met.error = error;
      throw error;
    }
    await context.session.append({ after: context.token });
    return 'done';
  };
  return { met, work };
}

describe('a window', () => {
  test('S1 S3: gives the lock up, lets another in, and comes back with a higher token', async () => {
    const locks = memoryLocks({ clock: scene().clock });
    const states: string[] = [];
    const { met, work } = yielding(async () => {
      const other = await scene().attempt({ locks, work: ({ session }) => session.append({ other: 1 }) }).start();
      return other.outcome;
    });
    const attempt = scene().attempt({ locks, work });
    attempt.subscribe(({ state }) => states.push(state));
    expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'completed', lease: 'released', token: 3 });
    expect(met.yielded).toMatchObject({ value: 'completed', token: 3 });
    expect(states.filter((state) => state.startsWith('running'))).toEqual([
      'running.working', 'running.yielding.asking', 'running.yielded', 'running.reacquiring.waiting',
      'running.reacquiring.opening', 'running.working',
    ]);
  });

  test('M10 S4: what others wrote is told by their tokens; own writes never count as foreign', async () => {
    const locks = memoryLocks({ clock: scene().clock });
    let second: Yielded<unknown> | null = null;
    const { met, work } = yielding(async () => {
      await scene().attempt({ locks, work: ({ session }) => session.append({ other: 1 }) }).start();
    });
    const run = scene().attempt({
      locks,
      work: async (context) => {
        await context.session.append({ mine: 1 });
        await work(context);
        await context.session.append({ mine: 2 });
        second = await context.yieldLock(() => {});
      },
    }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed' });
    expect(met.yielded?.changedBy).toEqual([{ record: { other: 1 }, token: 2 }]);
    expect(second, 'own records are no news').toMatchObject({ changedBy: [] });
  });

  test('S5: writing inside is refused, by append and by guard, and is not counted as a zombie\'s', async () => {
    const refused: unknown[] = [];
    const { work } = yielding(async ({ session, guard }) => {
      refused.push(await session.append({}).catch((error: unknown) => error));
      try { guard(() => {}); } catch (error) { refused.push(error); }
    });
    const attempt = scene().attempt({ work });
    expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'completed' });
    expect(refused).toMatchObject([{ code: 'LOCK_YIELDED' }, { code: 'LOCK_YIELDED' }]);
    expect(attempt.snapshot().refusedWrites).toBe(0);
  });

  test('a second window inside is refused, and the first goes on', async () => {
    const { met, work } = yielding((context) => context.yieldLock(() => {}).catch((error: unknown) => error));
    expect(await scene().now(scene().attempt({ work }).start())).toMatchObject({ outcome: 'completed' });
    expect(met.yielded?.value).toMatchObject({ code: 'LOCK_YIELDED' });
  });

  test('L5: one that was refused inside does not make the first one\'s end unheard-of: nobody awaits it, and it may reject', async () => {
    const open = deferred();
    const attempt = scene().attempt({
      work: async ({ yieldLock, signal }) => {
        void yieldLock(async () => {
          await yieldLock(() => {}).catch(() => {});
          await open.promise;
        });
        await new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }); });
      },
    });
    const run = attempt.start();
    await until(() => attempt.snapshot().state === 'running.yielded');
    await scene().settled();
    attempt.abort();
    open.resolve(null);
    expect(await scene().now(run)).toMatchObject({ abortedBy: 'user', lease: 'released' });
  });

  test('an error inside is thrown after the lock is back', async () => {
    const wrong = new RangeError('mine');
    const run = scene().attempt({
      work: async ({ yieldLock, session }) => {
        await yieldLock(() => { throw wrong; }).catch((error: unknown) => session.append({ error: String(error) }));
        return 'went on';
      },
    }).start();
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', value: 'went on', token: 2 });
  });

  test('S13: writes begun before are waited for; one that never ends keeps the lock', async () => {
    const write = deferred();
    let error: unknown = null;
    const store = scene().store();
    const attempt = scene().attempt({
      locks: store, settleMs: 50,
      work: async ({ guard, yieldLock }) => {
        void guard(() => write.promise);
        await yieldLock(() => {}).catch((thrown: unknown) => { error = thrown; });
        write.resolve(null);
      },
    });
    const run = attempt.start();
    await scene().settled();
    expect(attempt.snapshot().state).toBe('running.working');
    expect(await toTheEnd(scene(), run)).toMatchObject({ outcome: 'completed', token: 1 });
    expect(error).toMatchObject({ code: 'WRITES_UNSETTLED' });
  });
});

describe('a window that is cut short', () => {
  test.each(['user', 'timeout'] as const)('M04 S11: an abort (%s) inside takes nothing back', async (by) => {
    const store = scene().store();
    const open = deferred();
    const { met, work } = yielding(() => open.promise);
    const attempt = scene().attempt({ locks: store, work });
    const run = attempt.start();
    await until(() => attempt.snapshot().state === 'running.yielded');
    attempt.abort('stop', { by });
    open.resolve(null);
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', abortedBy: by, lease: 'released', settled: true });
    expect(met.error).toMatchObject({ abortedBy: by });
    expect(store.asks.length, 'asked for once').toBe(1);
  });

  test('M04: an abort inside, and a window that never ends: nothing is held, the attempt ends at settleMs', async () => {
    const { work } = yielding(() => new Promise(() => {}));
    const attempt = scene().attempt({ work, settleMs: 40, cleanup: () => { throw new Error('never'); } });
    const run = attempt.start();
    await until(() => attempt.snapshot().state === 'running.yielded');
    attempt.abort();
    expect(await toTheEnd(scene(), run)).toMatchObject({ settled: false, lease: 'released', cleanupError: undefined });
  });

  test('M04 M02 S11: an abort while the lock is asked for again: what still arrives is given back at once', async () => {
    const store = scene().store({ acquire: (ask) => (ask.store.asks.length === 1 ? void ask.grant() : undefined) });
    const work = async ({ yieldLock }: WorkContext): Promise<void> => {
      await yieldLock(() => {}).catch(() => new Promise(() => {})); // ... and then ignores the abort
    };
    const attempt = scene().attempt({ locks: store, work, settleMs: 500 });
    const run = attempt.start();
    await until(() => attempt.snapshot().state === 'running.reacquiring.waiting');
    attempt.abort();
    expect(store.asks[1]?.request.signal.aborted).toBe(true);
    store.asks[1]?.grant();
    await scene().settled();
    expect(attempt.snapshot().state, 'the work has not settled').toBe('aborting.user');
    expect(store.held, 'and holds nothing').toBe(0);
    expect(await toTheEnd(scene(), run)).toMatchObject({ abortedBy: 'user', lease: 'released', settled: false });
  });

  test('work that returns without its window: the attempt ends, and nothing is taken back', async () => {
    const open = deferred();
    const store = scene().store();
    const attempt = scene().attempt({
      locks: store,
      work: async ({ yieldLock }) => {
        void yieldLock(() => open.promise);
        await until(() => attempt.snapshot().state === 'running.yielded');
        return 'early';
      },
    });
    expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'completed', value: 'early', lease: 'released' });
    open.resolve(null);
    await scene().settled();
    expect(store.asks.length).toBe(1);
  });
});

describe('a window that cannot be ended with the lock in hand', () => {
  const failing = {
    busy: [{ code: 'LOCK_BUSY' }, { lease: 'released' }],
    unknown: [{ code: 'LOCK_STORE_FAILED' }, { lease: 'released' }],
    silent: [{ code: 'LOCK_BUSY' }, { lease: 'released' }],
  } as const;
  test.each(Object.entries(failing))('is a typed loss: the store is %s', async (how, [cause, report]) => {
    const store = scene().store({
      acquire: (ask) => {
        if (ask.store.asks.length === 1) ask.grant();
        else if (how === 'busy') ask.busy();
        else if (how === 'unknown') ask.unknown();
      },
    });
    const { met, work } = yielding();
    const ended = await toTheEnd(scene(), scene().attempt({ locks: store, work, waitMs: 100 }).start());
    expect(ended).toMatchObject({
      outcome: 'aborted', abortedBy: 'leaseLost', ...report, error: { code: 'LEASE_LOST', cause },
    });
    expect(met.error).toMatchObject({ abortedBy: 'leaseLost' });
  });

  test('S12: a grant that was gone before it could be given up is a loss, and no window is opened', async () => {
    let opened = false;
    const store = scene().store({ release: (ask) => { ask.store.free(ask.owner); ask.answer('notHeld'); } });
    const { work } = yielding(() => { opened = true; });
    const attempt = scene().attempt({ locks: store, work });
    const run = attempt.start();
    expect(await toTheEnd(scene(), run)).toMatchObject({ abortedBy: 'leaseLost', lease: 'lost' });
    expect(opened).toBe(false);
  });

  test('S14: a release that is never answered: the window opens when the lease has ended by itself', async () => {
    let asked = 0;
    const store = scene().store({ release: (ask) => ((asked += 1) > 20 ? ask.honestly() : undefined) });
    const { met, work } = yielding();
    const run = scene().attempt({ locks: store, work }).start();
    await toTheEnd(scene(), run);
    expect(met.yielded ?? met.error).toBeDefined();
  });
});
