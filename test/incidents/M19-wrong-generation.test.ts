/**
 * M19: a late abort hits the next run (openclaw #104589, #145152). An abort is bound to an attempt id, has no effect on
 * the next attempt of the session, and says what it met.
 */
import { expect, test } from 'vitest';
import { attempts } from '../../src/index.js';
import { until, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

test('M19: ABORT of attempt 1 while attempt 2 runs: no effect on 2, and it says so', async () => {
  const locks = scene().store();
  const one = scene().attempt({ locks, work: () => 1 });
  await scene().now(one.start());
  const two = scene().attempt({ locks, work: untilAborted });
  const run = two.start();
  await until(() => two.snapshot().state === 'running.working');
  expect(attempts.abort(one.id, 'late')).toEqual({ accepted: false, state: null, abortedBy: null });
  expect(one.abort('late')).toMatchObject({ accepted: false, state: 'released' });
  await scene().settled();
  expect(two.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null, lateAborts: [] });
  expect(attempts.abort(two.id, 'meant')).toMatchObject({ accepted: true, state: 'running.working' });
  expect(await run).toMatchObject({ abortedBy: 'user', reason: 'meant' });
});

test('M19: the signal of an ended attempt does nothing to the next one of the session', async () => {
  const locks = scene().store();
  const stop = scene().controller();
  await scene().now(scene().attempt({ locks, signal: stop.signal, work: () => 1 }).start());
  const two = scene().attempt({ locks, work: untilAborted });
  const run = two.start();
  await until(() => two.snapshot().state === 'running.working');
  stop.abort('too late');
  await scene().settled();
  expect(two.snapshot().abortedBy).toBeNull();
  two.abort();
  await run;
});
