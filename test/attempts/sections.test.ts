/**
 * Delicate sections (INCIDENTS M17): a limit waits for one once, or stands still; a user's stop is told at once; nothing
 * new is begun after an abort.
 */
import { describe, expect, test } from 'vitest';
import type { SectionOptions, WorkContext } from '../../src/index.js';
import { deferred, type Deferred, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

interface Played {
  readonly gate: Deferred<unknown>;
  readonly at: number[];
}

/** Work in a section until `gate` opens; then until it is aborted. Notes when the signal fired, in ms of running. */
function inSection(options: SectionOptions, limits: { timeoutMs?: number; idleTimeoutMs?: number }) {
  const played: Played = { gate: deferred(), at: [] };
  const attempt = scene().attempt({
    ...limits,
    work: async (context: WorkContext) => {
      const begun = scene().clock.now();
      context.signal.addEventListener('abort', () => played.at.push(scene().clock.now() - begun));
      await context.section('compaction', () => played.gate.promise, options);
      await untilAborted(context);
    },
  });
  return { ...played, attempt, run: attempt.start() };
}

const advance = (ms: number): Promise<void> => scene().clock.advance(ms);

describe('a run budget that is over inside a section', () => {
  test('M17: waits for it, once, and fires when it is left', async () => {
    const { gate, at, attempt, run } = inSection({ graceMs: 500 }, { timeoutMs: 100 });
    await advance(250);
    expect(attempt.snapshot()).toMatchObject({ state: 'running.working', section: 'compaction' });
    gate.resolve(null);
    await advance(0);
    expect(await scene().now(run)).toMatchObject({ abortedBy: 'timeout', timeoutKind: 'run', abandoned: true });
    expect(at).toEqual([250]);
  });

  test('M17: waits at most graceMs: exactly one extension', async () => {
    const { gate, at, attempt, run } = inSection({ graceMs: 500 }, { timeoutMs: 100 });
    await advance(600);
    expect(at).toEqual([600]);
    expect(attempt.snapshot()).toMatchObject({ abortedBy: 'timeout' });
    gate.resolve(null);
    await scene().now(run);
  });

  test('M17: no grace, no waiting', async () => {
    const { gate, at, run } = inSection({}, { timeoutMs: 100 });
    await advance(100);
    expect(at).toEqual([100]);
    gate.resolve(null);
    await scene().now(run);
  });

  test('M17 S9: a user\'s stop is told at once, and is the cause; the put-off limit is then nobody\'s', async () => {
    const { gate, at, attempt, run } = inSection({ graceMs: 500 }, { timeoutMs: 100 });
    await advance(150);
    attempt.abort('stop');
    expect(at).toEqual([150]);
    gate.resolve(null);
    expect(await scene().now(run)).toMatchObject({ abortedBy: 'user', abandoned: false, lateAborts: [] });
  });

  test('M17: the idle limit waits as well, and says that it was the idle one', async () => {
    const { gate, at, run } = inSection({ graceMs: 500 }, { idleTimeoutMs: 100, timeoutMs: 300 });
    await advance(400);
    expect(at, 'the run limit of 300 ms is not heard while the idle one is put off').toEqual([]);
    gate.resolve(null);
    expect(await scene().now(run)).toMatchObject({ abortedBy: 'timeout', timeoutKind: 'idle' });
  });

  test('M17: a second section gets no second extension', async () => {
    const at: number[] = [];
    const gates = [deferred(), deferred()] as const;
    const run = scene().attempt({
      timeoutMs: 100,
      work: async (context) => {
        context.signal.addEventListener('abort', () => at.push(scene().clock.now()));
        await Promise.all(gates.map((gate, index) => context.section(`s${index}`, () => gate.promise, { graceMs: 50 })));
      },
    }).start();
    await advance(120);
    gates[0].resolve(null);
    await advance(20);
    expect(at, 'the other is still open').toEqual([]);
    await advance(10);
    expect(at.length).toBe(1);
    gates[1].resolve(null);
    await scene().now(run);
  });
});

describe('a section that stops the budgets', () => {
  test('M17: a person may take their time; what was left goes on afterwards', async () => {
    const { gate, at, run } = inSection({ pauseTimeout: true }, { timeoutMs: 100, idleTimeoutMs: 80 });
    await advance(5_000);
    expect(at).toEqual([]);
    gate.resolve(null);
    await advance(79);
    expect(at).toEqual([]);
    await advance(21);
    expect(at, 'the idle budget begins anew, the run budget had all of its 100 ms left').toEqual([5_080]);
    expect(await scene().now(run)).toMatchObject({ timeoutKind: 'idle' });
  });

  test('M17: the run budget counts what ran outside, over several pauses', async () => {
    const at: number[] = [];
    const run = scene().attempt({
      timeoutMs: 100,
      work: async (context) => {
        const begun = scene().clock.now();
        const pause = (ms: number) => new Promise((resolve) => { scene().clock.setTimeout(() => resolve(null), ms); });
        context.signal.addEventListener('abort', () => at.push(scene().clock.now() - begun));
        for (let i = 0; i < 2; i += 1) {
          await pause(40);
          await context.section('ask', () => pause(1_000), { pauseTimeout: true });
        }
        await untilAborted(context);
      },
    }).start();
    for (let ms = 0; ms < 2_200; ms += 20) await advance(20);
    expect(at).toEqual([2_100]);
    expect(await scene().now(run)).toMatchObject({ timeoutKind: 'run' });
  });
});

test('M17 S11: nothing new is begun after an abort, neither a section nor a window', async () => {
  const refused: unknown[] = [];
  let ran = 0;
  const attempt = scene().attempt({
    work: async (context) => {
      await untilAborted(context).catch(() => {});
      refused.push(await context.section('late', () => { ran += 1; }).catch((error: unknown) => error));
      refused.push(await context.yieldLock(() => { ran += 1; }).catch((error: unknown) => error));
    },
  });
  const run = attempt.start();
  await scene().settled();
  attempt.abort('stop');
  await scene().now(run);
  expect(refused).toMatchObject([{ name: 'AbortError', abortedBy: 'user' }, { name: 'AbortError', abortedBy: 'user' }]);
  expect(ran).toBe(0);
});

test.each([
  ['', {}], ['x'.repeat(65), {}], ['s', { graceMs: -1 }], ['s', { graceMs: Infinity }], ['s', { pauseTimeout: 1 }],
])('bad input is CONFIG_INVALID, and nothing is begun: %j %j', async (name, options) => {
  const run = scene().attempt({ work: ({ section }) => section(name, () => 1, options as SectionOptions) }).start();
  expect(await scene().now(run)).toMatchObject({ outcome: 'failed', error: { code: 'CONFIG_INVALID' } });
});
