/**
 * An attempt's actor persisted and restored, with its parent, as text: what it says of a lock that it cannot have any more.
 */
import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { attempts } from '../../src/index.js';
import { fromAttempt } from '../../src/xstate/index.js';
import { deferred, until, untilAborted, useScene } from '../support/scene.js';
import { isRunning, parent, parentOf, type Input, type Parent } from './parent.js';

const scene = useScene();
const actorOf = (input: Omit<Input, 'clock'>): Parent => parentOf({ ...input, clock: scene().clock });

describe('persisted and restored', () => {
  /** As a program would keep it: as text. */
  const persisted = (actor: Parent) => JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as never;

  test('S10 S14: an attempt that ran is not run again, and says that its lock is lost', async () => {
    let starts = 0;
    const locks = scene().store();
    const first = actorOf({
      locks,
      work: (context) => {
        starts += 1;
        return untilAborted(context);
      },
    });
    await until(isRunning);
    const kept = persisted(first);
    first.stop();
    await until(() => attempts.active().length === 0);
    const second = createActor(parent, { snapshot: kept, input: 0 }).start();
    await until(() => second.getSnapshot().matches('idle'));
    expect(second.getSnapshot().context.report).toMatchObject({
      outcome: 'aborted', abortedBy: 'leaseLost', lease: 'lost', token: 1, settled: false, session: 'session',
      reason: 'restored from a snapshot in which it was running.working', error: { code: 'LEASE_LOST' },
    });
    expect(starts).toBe(1);
    expect(locks.asks).toHaveLength(1);
  });

  test('S9: an abort decided before stays the first one; a lock on its way is unconfirmed', async () => {
    const settle = deferred();
    const stopped = actorOf({ locks: scene().store(), work: () => settle.promise });
    await until(isRunning);
    stopped.send({ type: 'stop' });
    const waiting = actorOf({ locks: scene().store({ acquire: () => {} }) });
    const kept = [persisted(stopped), persisted(waiting)];
    for (const actor of [stopped, waiting]) actor.stop();
    settle.resolve(1);
    scene().stores.at(-1)?.ask.busy();
    const [one, two] = kept.map((snapshot) => createActor(parent, { snapshot, input: 0 }).start());
    await until(() => one?.getSnapshot().matches('idle') && two?.getSnapshot().matches('idle'));
    expect(one?.getSnapshot().context.report).toMatchObject({ abortedBy: 'user', lateAborts: ['leaseLost'], lease: 'lost' });
    expect(two?.getSnapshot().context.report).toMatchObject({ abortedBy: 'leaseLost', lease: 'unconfirmed', settled: null });
    await until(() => attempts.active().length === 0);
  });

  test('one persisted before it was started has nothing to lose, and is started', async () => {
    const logic = fromAttempt(({ input }: { input: { value: number } }) => ({
      session: 's', locks: scene().store(), records: 'none' as const, clock: scene().clock, work: () => input.value,
    }));
    const kept = JSON.parse(JSON.stringify(createActor(logic, { input: { value: 7 } }).getPersistedSnapshot())) as never;
    const actor = createActor(logic, { snapshot: kept, input: { value: 8 } }).start();
    expect(await toPromise(actor)).toMatchObject({ outcome: 'completed', value: 7 });
  });
});
