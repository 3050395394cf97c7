/**
 * What no other test noticed when it was missing from the command. The bug is in `../bugs/front.ts`.
 */
import { expect } from 'vitest';
import { isAlive, test, until } from '../../cli/support.js';

const STUBBORN = 'trap "" INT TERM; echo $$ > pid; while :; do sleep 0.02; done';

test('L6: a second signal kills at once, not when `-k` is over', async ({ bench }) => {
  const started = bench.attempt(['run', '-v', '-k', '1h', 's', 'sh', '-c', STUBBORN]);
  const command = Number(await bench.line('pid'));
  started.kill('SIGTERM');
  await until('the first to be heard', () => started.stderr.includes('aborting.user'));
  expect(isAlive(command)).toBe(true);
  started.kill('SIGINT');
  await until('the command to be killed', () => !isAlive(command), 10_000);
  expect(await started.ended).toMatchObject({ signal: 'SIGTERM' });
});

test('M20 L6: the lock is given back when all that the command started has ended, not when it has', async ({ bench }) => {
  const script = '(sleep 0.5; echo late > late) > /dev/null 2>&1 & exit 3';
  expect(await bench.run('run', 's', 'sh', '-c', script)).toMatchObject({ code: 3 });
  expect(bench.has('late')).toBe(true);
});

test('M08: a run under the lock of its own session is told so, and does not use up its patience', async ({ bench }) => {
  const nested = await bench.run('run', 's', 'sh', '-c', 'exec node "$ATTEMPT" run -w 2 s true');
  expect(nested).toMatchObject({ code: 125, stderr: expect.stringContaining('wait for its own end') });
});
