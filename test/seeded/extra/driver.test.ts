/**
 * What no other test noticed when it was missing from the driver. The bugs these were written for are in
 * `../bugs/driver.ts` and `../bugs/front.ts`.
 */
import { expect, test } from 'vitest';
import { attempts } from '../../../src/index.js';
import { deferred, never, untilAborted, useScene } from '../../support/scene.js';
import { toTheEnd } from '../../support/endings.js';

const scene = useScene();

test('M05 S5: a write the cleanup has begun is waited for, and nothing it left behind may begin another', async () => {
  const store = scene().store();
  const writing = deferred();
  let refused: unknown = null;
  const run = scene().attempt({
    locks: store, work: () => 'v',
    cleanup: ({ session }) => {
      void session.guard(() => writing.promise); // not awaited
      setImmediate(() => {
        try {
          session.appendSync({ left: 'behind' });
        } catch (error) {
          refused = error;
        }
      });
    },
  }).start();
  await scene().settled();
  await scene().settled();
  expect(store.releases, 'the release does not overtake it').toHaveLength(0);
  expect(refused).toMatchObject({ code: 'WRITER_CLOSED' });
  writing.resolve(null);
  expect(await run).toMatchObject({ outcome: 'completed', lease: 'released', cleanupError: undefined });
  expect(scene().records.written).toEqual([]);
});

test('M05: of several writes that have begun the last is waited for, not the first', async () => {
  const store = scene().store();
  const writes = [deferred(), deferred(), deferred()];
  const run = scene().attempt({
    locks: store, work: ({ guard }) => writes.forEach(({ promise }) => void guard(() => promise)),
  }).start();
  for (const write of writes) {
    await scene().settled();
    expect(store.releases).toHaveLength(0);
    write.resolve(null);
  }
  expect(await run).toMatchObject({ outcome: 'completed', lease: 'released' });
});

test('S10: work does not start while the lease is in doubt, and starts when it is renewed', async () => {
  const store = scene().store({ acquire: (ask) => { ask.grant().fixedDeadline = scene().clock.now(); } });
  let started = 0;
  const run = scene().attempt({ locks: store, openMs: 1_000, work: () => { started += 1; } }).start();
  await scene().clock.advance(900);
  expect(started).toBe(0);
  store.lease.fixedDeadline = null; // renewed
  await scene().clock.advance(50);
  expect(started).toBe(1);
  expect(await run).toMatchObject({ outcome: 'completed', lease: 'released' });
});

test('S10: work does not start at all under a lease that stays in doubt for `openMs`', async () => {
  const store = scene().store({ acquire: (ask) => { ask.grant().fixedDeadline = scene().clock.now(); } });
  const run = scene().attempt({ locks: store, openMs: 1_000, work: never }).start();
  expect(await toTheEnd(scene(), run)).toMatchObject({
    outcome: 'notStarted', lease: 'released', error: { code: 'SESSION_OPEN_FAILED' },
  });
});

test('M02 L5: a late grant whose release never answers is not asked back after its lease has ended', async () => {
  const asks: number[] = [];
  const locks = scene().store({
    acquire: () => {},
    release: (ask) => {
      if (ask.byOwner) return ask.answer('notHeld');
      asks.push(scene().clock.now());
      ask.answer('unknown');
    },
  });
  const attempt = scene().attempt({ locks, work: untilAborted, answerMs: 100 });
  const run = attempt.start();
  attempt.abort('stop');
  await scene().clock.advance(200);
  await run;
  locks.ask.grant();
  const granted = scene().clock.now();
  await scene().clock.advance(100_000);
  expect(asks.length).toBeGreaterThan(3);
  expect((asks.at(-1) ?? Infinity) - granted).toBeLessThanOrEqual(locks.capabilities.leaseMs);
});

test('M19 S8: an attempt that was refused its id does not strike the one that has it', async () => {
  const one = scene().attempt({ attemptId: 'same', work: untilAborted });
  const two = scene().attempt({ attemptId: 'same', work: never });
  const run = one.start();
  await scene().settled();
  await expect(two.start()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  two.abort('not this one');
  await two.done;
  expect(attempts.active().map(({ attemptId, state }) => [attemptId, state])).toEqual([['same', 'running.working']]);
  expect(attempts.abort('same', 'meant')).toMatchObject({ accepted: true });
  expect(await run).toMatchObject({ reason: 'meant' });
});
