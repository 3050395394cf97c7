/**
 * M09: the lock is gone and the work still writes (openclaw #44510, #121003). What it writes is refused and
 * counted, and readers never see it, not even what had passed its check.
 */
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createAttempt, localFileLocks, readSession } from '../../src/index.js';
import { deferred, never, until, useScene } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';
import { hasEnded, incident, type WorkTools } from './runner-port.js';

incident('M09: released, LATE WRITE(t)', 'leaves the writer open', async (runner, scene) => {
  const locks = scene.store();
  let zombie: WorkTools | undefined;
  const running = runner({
    scene, locks, settleMs: 50,
    work: async (tools) => {
      zombie = tools;
      await tools.write('in time');
      await never();
    },
  });
  await scene.settled();
  running.abort('user');
  await expect(zombie?.write('after the abort'), 'S5: in the very tick').rejects.toThrow();
  await scene.clock.advance(50);
  await hasEnded(scene, running);
  await expect(zombie?.write('after the end')).rejects.toThrow();
  expect(scene.records.written.map(({ record }) => record['text'])).toEqual(['in time']);
});

const scene = useScene();
const files = useSessionFiles();

test('M09: on a real file: refused, counted, and what had passed the check is left out by readers', async () => {
  const session = files.session();
  const { clock } = scene();
  const locks = localFileLocks({ clock });
  const gate = deferred();
  let write: () => unknown = () => null;
  const first = createAttempt({
    session, locks, clock, settleMs: 100,
    work: async (context) => {
      write = () => context.session.appendSync({ from: 'zombie' });
      await context.session.append({ from: 'first' });
      await gate.promise;
    },
  });
  const run = first.start();
  await until(() => first.snapshot().state === 'running.working');
  await scene().settled();
  first.abort('stop');
  await clock.advance(100);
  const { token } = await run;
  const second = await createAttempt({
    session, locks, clock, work: (context) => context.session.append({ from: 'second' }),
  }).start();
  expect(second).toMatchObject({ outcome: 'completed', error: null });
  expect(second.token).toBeGreaterThan(token as number);
  expect(write).toThrow(expect.objectContaining({ code: 'WRITER_CLOSED' }));
  expect(first.snapshot().refusedWrites).toBe(1);
  // A write that had passed the gate before the takeover, and reached the disk only now.
  appendFileSync(session, `${JSON.stringify({ $attempt: token, from: 'zombie' })}\n`);
  const { records, discarded } = await readSession(session);
  expect(records.map(({ record }) => (record as { from: string }).from)).toEqual(['first', 'second']);
  expect(discarded, 'S17: counted').toBe(1);
});
