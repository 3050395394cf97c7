/**
 * M12: renewal stops with the laptop asleep, or goes on after the release (earendil-works/pi#1322, dynamodb-lock-client#1).
 * A loss is told to the work and crashes nobody; once a release has begun nothing renews.
 */
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createAttempt, localFileLocks } from '../../src/index.js';
import { until, untilAborted, useScene } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const scene = useScene();
const files = useSessionFiles();

test('M12 S12: LOST while running ends the work as leaseLost, and nothing is released that is not ours', async () => {
  const store = scene().store();
  let refused = '';
  const attempt = scene().attempt({
    locks: store,
    work: ({ signal, session }) => new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        try {
          session.appendSync({ late: true });
        } catch (error) {
          refused = (error as { code: string }).code;
        }
        resolve(null);
      });
    }),
  });
  const run = attempt.start();
  await scene().settled();
  store.lease.notify({ type: 'lost', reason: 'seeded' });
  expect(await run).toMatchObject({ outcome: 'aborted', abortedBy: 'leaseLost', lease: 'lost', error: { code: 'LEASE_LOST' } });
  expect([refused, store.releases.length]).toEqual(['WRITE_FENCED', 0]);
});

/** Renames of the owner file are renewals: their names are told apart by the end they state. */
const ownerOf = (session: string): string => readdirSync(`${session}.lock`).join();

test('M12 S13: a lease is renewed while it is held, and not once its release has begun', async () => {
  const clock = new VirtualClock();
  const session = files.session();
  const locks = localFileLocks({ leaseMs: 2_000, clock });
  const attempt = createAttempt({ session, locks, clock, work: untilAborted });
  const run = attempt.start();
  await until(() => attempt.snapshot().state === 'running.working');
  const before = ownerOf(session);
  await clock.advance(1_000);
  expect(ownerOf(session), 'it was renewed').not.toBe(before);
  attempt.abort();
  expect(await run).toMatchObject({ lease: 'released' });
  const timers = clock.armed;
  await clock.advance(10_000);
  expect([timers, existsSync(`${session}.lock`)], 'nothing is armed, nothing comes back').toEqual([0, false]);
});
