/**
 * M18: a user's stop is reported as a timeout, or both (openclaw #61026, #122922). The first cause stays, later
 * ones are recorded, side effects happen once, and the bound counts from the first.
 */
import { expect, test } from 'vitest';
import { never, untilAborted, useScene } from '../support/scene.js';
import { hasEnded, incident } from './runner-port.js';

const orders = [
  ['user', 'timeout'], ['timeout', 'user'], ['user', 'user'], ['timeout', 'timeout'], ['shutdown', 'user'],
] as const;

for (const [first, second] of orders) {
  incident(
    `M18: ABORT(${first}) ABORT(${second})`,
    ['counts the settle bound anew', ...(first === second ? [] : ['lets the last cause win' as const])],
    async (runner, scene) => {
      const locks = scene.store();
      const running = runner({ scene, locks, work: never, settleMs: 100 });
      await scene.settled();
      running.abort(first);
      await scene.clock.advance(60);
      running.abort(second);
      await scene.clock.advance(39);
      expect(await hasEnded(scene, running)).toBeNull();
      await scene.clock.advance(1);
      expect(await hasEnded(scene, running), 'L2: the bound counts from the first')
        .toMatchObject({ abortedBy: first, abandoned: first === 'timeout' });
      expect(locks.releases).toHaveLength(1);
    },
  );
}

const scene = useScene();

test('M18: side effects once, the late cause recorded once, reason and kind of the first', async () => {
  for (const [first, second] of orders) {
    let timeouts = 0;
    let told = 0;
    const attempt = scene().attempt({
      settleMs: 100, onTimeout: () => { timeouts += 1; },
      work: ({ signal }) => {
        signal.addEventListener('abort', () => { told += 1; });
        return untilAborted({ signal });
      },
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('one', { by: first });
    attempt.abort('two', { by: second });
    attempt.abort('three', { by: second });
    expect(await run).toMatchObject({
      abortedBy: first, reason: 'one', lateAborts: [second], timeoutKind: first === 'timeout' ? 'external' : null,
      error: { name: first === 'timeout' ? 'TimeoutError' : 'AbortError', cause: 'one' },
    });
    expect([timeouts, told]).toEqual([first === 'timeout' ? 1 : 0, 1]);
  }
});

test('M18: run limit and user in one tick: whoever comes first', async () => {
  for (const order of ['user first', 'timeout first']) {
    const attempt = scene().attempt({ work: untilAborted, timeoutMs: 50 });
    const run = attempt.start();
    await scene().settled();
    const { clock } = scene();
    if (order === 'user first') clock.setTimeout(() => attempt.abort('stop'), 49);
    else clock.setTimeout(() => clock.setTimeout(() => attempt.abort('stop'), 0), 50);
    await clock.advance(60);
    expect(await run).toMatchObject({ abortedBy: order === 'user first' ? 'user' : 'timeout' });
  }
});

test('M18: work that settles in the tick of the abort: the order of arrival decides', async () => {
  for (const [order, outcome] of [['settle', 'completed'], ['abort', 'aborted']] as const) {
    let finish: (value: string) => void = () => {};
    const attempt = scene().attempt({ work: () => new Promise<string>((resolve) => { finish = resolve; }) });
    const run = attempt.start();
    await scene().settled();
    finish('v');
    if (order === 'settle') await scene().settled();
    attempt.abort();
    expect(await run).toMatchObject({ outcome, value: 'v', settled: true, lease: 'released' });
  }
});
