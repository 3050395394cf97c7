/**
 * Code that is not ours, at its worst: stores and records. Whatever they throw or answer, the attempt ends
 * with one outcome, gives its lock back and leaves nothing (M07). Unheard rejections fail the run: vitest reports
 * them.
 */
import { describe, expect, test } from 'vitest';
import type { AttemptReport } from '../../src/index.js';
import { toTheEnd as runToTheEnd } from '../support/endings.js';
import type { ScriptedLease } from '../support/scripted-store.js';
import { deferred, never, thenable, useScene } from '../support/scene.js';

const scene = useScene();

/** A value that throws wherever it is looked at. */
const untouchable = (): never => {
  throw new Error('do not look');
};
const prickly = new Proxy({}, { get: untouchable, getPrototypeOf: untouchable, has: untouchable });

const toTheEnd = <T>(done: Promise<AttemptReport<T>>): Promise<AttemptReport<T>> => runToTheEnd(scene(), done);

describe('M07: the store answers what no store may answer', () => {
  const answers: [string, unknown][] = [
    ['nothing', undefined], ['null', null], ['a number', 7], ['an unknown status', { status: 'perhaps' }],
    ['a grant without a lease', { status: 'granted' }], ['a grant of null', { status: 'granted', lease: null }],
    ['a lease without release', {
      status: 'granted', lease: { token: 1, deadline: 9e9, onNotice: () => () => {} },
    }],
  ];
  for (const [name, answer] of answers) {
    test(`M07: ${name}: the request has failed, and whatever our owner holds is given back`, async () => {
      const store = scene().store({ acquire: (ask) => ask.garbage(answer) });
      const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
      expect(report).toMatchObject({
        outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_STORE_FAILED' },
      });
      expect(store.releases.map(({ byOwner }) => byOwner)).toEqual([true]);
    });
  }

  const spoil: [string, (lease: ScriptedLease) => void][] = [
    ['no token', (lease) => Object.assign(lease, { token: undefined })],
    ['a token of NaN', (lease) => Object.assign(lease, { token: Number.NaN })],
    ['a negative token', (lease) => Object.assign(lease, { token: -1 })],
    ['no deadline', (lease) => Object.defineProperty(lease, 'deadline', { value: undefined })],
    ['no onNotice', (lease) => Object.defineProperty(lease, 'onNotice', { value: undefined })],
  ];
  for (const [name, break_] of spoil) {
    test(`M07: a lease with ${name} is not taken, and is released by itself`, async () => {
      const store = scene().store({
        acquire: (ask) => {
          const lease = ask.grant({ silent: true });
          break_(lease);
          ask.tell();
        },
      });
      // Its deadline may be what is broken; the ledger then goes by the release alone.
      const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
      expect(report).toMatchObject({
        outcome: 'notStarted', lease: 'released', error: { code: 'LOCK_STORE_FAILED' },
      });
      expect(store.releases.map(({ byOwner }) => byOwner)).toEqual([false]);
    });
  }

  test('M07: acquire throws instead of rejecting', async () => {
    const store = scene().store({ acquire: () => { throw new Error('at once'); } });
    const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
    expect(report).toMatchObject({
      outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_STORE_FAILED' },
    });
    expect(String(report.error)).toContain('at once');
  });

  test('M07: acquire rejects with nothing: it has failed, and is not called silent', async () => {
    const store = scene().store({ acquire: (ask) => ask.reject(undefined) });
    const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
    expect(String(report.error)).not.toContain('no answer within');
  });

  test('M07: release throws, rejects with nothing, answers nonsense; then it answers', async () => {
    let asked = 0;
    const store = scene().store({
      release: (ask) => {
        asked += 1;
        if (asked === 1) throw new Error('at once');
        if (asked === 2) ask.reject(undefined);
        else if (asked === 3) ask.answer('gone fishing' as never);
        else ask.honestly();
      },
    });
    const report = await toTheEnd(scene().attempt({ locks: store, work: () => 1 }).start());
    expect(report).toMatchObject({ outcome: 'completed', value: 1, lease: 'released' });
    expect(asked).toBe(4);
  });

  test('M07: onNotice throws: without news of a loss no work starts', async () => {
    const store = scene().store({
      acquire: (ask) => void Object.defineProperty(ask.grant(), 'onNotice', { value: untouchable }),
    });
    const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
    expect(report).toMatchObject({
      outcome: 'notStarted', lease: 'released', error: { code: 'SESSION_OPEN_FAILED' },
    });
  });

  test('S19: ending the notices throws, or is no function: the attempt ends all the same', async () => {
    for (const unsubscribe of [untouchable, undefined, 5]) {
      const store = scene().store({
        acquire: (ask) => void Object.defineProperty(ask.grant(), 'onNotice', { value: () => unsubscribe }),
      });
      const report = await toTheEnd(scene().attempt({ locks: store, work: () => 1 }).start());
      expect(report).toMatchObject({ outcome: 'completed', lease: 'released' });
    }
  });

  test('M22: a busy answer with a holder that cannot be looked at', async () => {
    const store = scene().store({
      acquire: (ask) => ask.busy({ pid: 1, since: Symbol('s'), until: 'x' } as never),
    });
    const report = await toTheEnd(scene().attempt({ locks: store, work: never }).start());
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_BUSY' } });
  });
});

describe('M07: the records do what no records may do', () => {
  const bad: [string, () => unknown][] = [
    ['throw', untouchable], ['reject', () => Promise.reject(new Error('no'))],
    ['reject with nothing', () => Promise.reject()], ['give nothing', () => undefined],
    ['give something else', () => ({ append: 3 })],
    ['give a thenable that throws', () => thenable(untouchable, {})],
    ['give what cannot be looked at', () => prickly],
  ];
  for (const [name, open] of bad) {
    test(`M07: open ${name}: not started, given back`, async () => {
      const report = await toTheEnd(scene().attempt({ records: { open: open as never }, work: never }).start());
      expect(report).toMatchObject({
        outcome: 'notStarted', lease: 'released', settled: null, error: { code: 'SESSION_OPEN_FAILED' },
      });
      expect(String(report.error)).not.toContain('openMs');
    });
  }

  test('L5: a thenable of another make is awaited like a promise', async () => {
    const records = scene().records;
    const opened = records.open({ token: 1 } as never);
    const open = () => thenable((yes) => yes(opened), {}) as never;
    const report = await toTheEnd(scene().attempt({
      records: { open }, work: ({ session }) => session.append({ a: 1 }),
    }).start());
    expect(report).toMatchObject({ outcome: 'completed', fencing: 'stamped' });
    expect(records.written).toHaveLength(1);
  });

  test('M07: close throws or rejects: a warning, not an outcome', async () => {
    for (const close of [untouchable, () => Promise.reject(new Error('no')), () => thenable(untouchable, {})]) {
      const open = () => ({ fencing: 'stamped', append: () => {}, close }) as never;
      const report = await toTheEnd(scene().attempt({ records: { open }, work: () => 1 }).start());
      expect(report).toMatchObject({ outcome: 'completed', lease: 'released' });
    }
    expect(await scene().warned()).toEqual([
      'ATTEMPT_CLOSE_FAILED', 'ATTEMPT_CLOSE_FAILED', 'ATTEMPT_CLOSE_FAILED',
    ]);
  });

  test('L5: what opens after openMs is closed', async () => {
    const opening = deferred<never>();
    const { records } = scene();
    const run = scene().attempt({ records: { open: () => opening.promise }, openMs: 10, work: never }).start();
    const report = await toTheEnd(run);
    expect(report).toMatchObject({ outcome: 'notStarted', error: { code: 'SESSION_OPEN_FAILED' } });
    opening.resolve(records.open({ token: 1 } as never) as never);
    await scene().settled();
    expect(records.closed).toBe(1);
  });
});
