/**
 * M07: a throw between two steps leaves the lock (openclaw #86427). After a throw at every step the lock is
 * given back, and disposal of other things never stands before the release. More of the kind in
 * `attempts/hostile.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import type { AttemptOptions } from '../../src/index.js';
import { toTheEnd } from '../support/endings.js';
import { never, untilAborted, useScene } from '../support/scene.js';
import { hasEnded, incident } from './runner-port.js';

const boom = (): never => { throw new Error('boom'); };

incident('M07: a throw between work and release', 'throws between work and release', async (runner, scene) => {
  const locks = scene.store();
  const running = runner({ scene, locks, work: () => 1, cleanup: boom });
  expect(await hasEnded(scene, running)).toMatchObject({ outcome: 'completed' });
  expect(locks.held, 'S6').toBe(0);
});

const scene = useScene();
const steps: Record<string, Partial<AttemptOptions<unknown>>> = {
  'opening the session': { records: { open: boom } },
  'the token floor': {
    records: { open: () => ({ fencing: 'stamped', append() {}, close() {} }), tokenFloor: boom },
  },
  'the work': { work: boom },
  'progress heard by nobody': { work: ({ progress }) => progress(Object.create(null) as string) },
  'the cleanup': { cleanup: boom },
  'onTimeout': { work: never, timeoutMs: 10, settleMs: 0, onTimeout: boom },
  'closing the session': { records: { open: () => ({ fencing: 'stamped', append() {}, close: boom }) } },
  'an append': {
    records: { open: () => ({ fencing: 'stamped', append: boom, close() {} }) },
    work: ({ session }) => session.append({ a: 1 }),
  },
  'inspecting': { inspect: boom },
};

describe('M07: S6 after a throw at every step', () => {
  for (const [step, options] of Object.entries(steps)) {
    test(`M07: ${step}`, async () => {
      const store = scene().store({
        acquire: (ask) => {
          const floor = ask.request.tokenFloor;
          if (!floor || step !== 'the token floor') return void ask.grant();
          void floor().then(() => ask.grant(), (error: unknown) => ask.reject(error));
        },
      });
      const attempt = scene().attempt({ work: () => 1, locks: store, ...options });
      attempt.subscribe(boom);
      const report = await toTheEnd(scene(), attempt.start());
      expect(['released', 'neverHeld']).toContain(report.lease);
      expect(store.held).toBe(0);
      const next = await toTheEnd(scene(), scene().attempt({ locks: store, work: () => 'next' }).start());
      expect(next).toMatchObject({ outcome: 'completed', value: 'next' });
    });
  }

  test('M07: the lock is released before the session is closed; a close that hangs holds up nothing', async () => {
    const order: string[] = [];
    const store = scene().store({
      release: (ask) => {
        order.push('release');
        ask.honestly();
      },
    });
    const close = (): Promise<never> => {
      order.push('close');
      return never();
    };
    const records = { open: () => ({ fencing: 'stamped' as const, append() {}, close }) };
    expect(await scene().attempt({ locks: store, records, work: () => 1 }).start()).toMatchObject({
      lease: 'released',
    });
    expect(order).toEqual(['release', 'close']);
  });

  test('M07: disposal is asked for once, with the report, after the release; it holds up and changes nothing', async () => {
    for (const work of [() => 'value', boom, untilAborted]) {
      const order: string[] = [];
      const reports: unknown[] = [];
      const store = scene().store({
        release: (ask) => {
          order.push('release');
          ask.honestly();
        },
      });
      const attempt = scene().attempt<unknown>({
        locks: store, work, cleanup: () => order.push('cleanup'),
        dispose: (report) => {
          order.push(`dispose, ${store.held} held`);
          reports.push(report);
          return never();
        },
      });
      const run = attempt.start();
      await scene().settled();
      attempt.abort();
      const report = await run;
      await scene().settled();
      expect(order, 'S6').toEqual(['cleanup', 'release', 'dispose, 0 held']);
      expect(reports, 'the very report').toEqual([report]);
      expect(reports[0]).toBe(report);
    }
  });

  test('M07: disposal that throws or rejects is a warning; without a lock it is asked for all the same', async () => {
    const rejects = (): Promise<never> => Promise.reject(new Error('boom'));
    for (const dispose of [boom, rejects]) {
      const busy = scene().store({ acquire: (ask) => ask.busy() });
      expect(await scene().attempt({ work: () => 1, dispose }).start()).toMatchObject({ outcome: 'completed' });
      expect(await scene().attempt({ work: () => 1, dispose, locks: busy }).start()).toMatchObject({ outcome: 'notStarted' });
      const idle = scene().attempt({ work: () => 1, dispose });
      idle.abort();
      expect(await idle.done).toMatchObject({ outcome: 'aborted', lease: 'neverHeld' });
    }
    expect(await scene().warned()).toEqual(Array.from({ length: 6 }, () => 'ATTEMPT_CALLBACK_THREW'));
    expect(scene().warnings[0]?.message).toBe('dispose threw: boom');
  });

  test('M07: work that throws because it was aborted is no other path', async () => {
    const store = scene().store();
    const attempt = scene().attempt({ locks: store, work: untilAborted, cleanup: boom });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    expect(await run).toMatchObject({ outcome: 'aborted', lease: 'released', workError: undefined });
  });
});
