/**
 * Ending a run from outside: `attempt stop`, and `attempt run --take-over`, with real processes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { isAlive, isStopped, test, until } from './support.js';

const it = test.concurrent;

it('M19 L6: stop ends the command, cleanly, and says what it met; run ends by TERM', async ({ bench }) => {
  const holder = await bench.holder('s', '-l', 'job=nightly', '--report', 'report');
  const pid = Number(bench.read('s.gate'));
  const stopped = await bench.run('stop', '--reason', 'deploy', 's');
  expect(stopped.code).toBe(0);
  expect(stopped.stderr).toMatch(/^attempt: s: held for .* by attempt [0-9a-f]{8} \(.*job=nightly\); asked to end$/m);
  expect(stopped.stdout).toMatch(/^attempt: s: attempt [0-9a-f]{8} has ended after .*: aborted by user, lock released$/m);
  const ended = await holder.ended;
  expect(ended).toMatchObject({ signal: 'SIGTERM', stderr: expect.stringMatching(/asked to stop by pid \d+ on .*: deploy/) });
  expect(isAlive(pid)).toBe(false);
  expect(JSON.parse(bench.read('report'))).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
  expect(await bench.run('stop', 's')).toMatchObject({ code: 0, stdout: 'attempt: s: nobody holds it; there is nothing to stop\n' });
});

it('stop of what was never a session here says so, for it may be mistyped', async ({ bench }) => {
  const says = 'attempt: s: nobody holds it; there is nothing to stop';
  const never = `${says} (it was never seen here: no such file, and no attempt on it was ever run)\n`;
  expect(await bench.run('stop', 's')).toMatchObject({ code: 0, stdout: never, stderr: '' });
  expect(bench.entries('.')).toEqual([]);
  writeFileSync(bench.path('s'), '');
  expect(await bench.run('stop', 's')).toMatchObject({ code: 0, stdout: `${says}\n` });
});

it('stop --json, bound to an attempt that does not hold it: nothing is changed', async ({ bench }) => {
  const holder = await bench.holder('s');
  const { code, stdout } = await bench.run('stop', '--json', '--attempt', 'zzz', 's');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    result: 'notHeld', session: bench.path('s'), report: null, holder: { pid: holder.pid, token: 1, supersedable: true },
  });
  const id = (JSON.parse(stdout) as { holder: { attemptId: string } }).holder.attemptId;
  const met = await bench.run('stop', '--json', '--attempt', id.slice(0, 8), 's');
  expect(JSON.parse(met.stdout)).toMatchObject({ result: 'ended', report: { attemptId: id, abortedBy: 'user' } });
  expect((await holder.ended).signal).toBe('SIGTERM');
});

it('stop of a command that will not end: 75, and it is still held; the ask stands', async ({ bench }) => {
  const stubborn = bench.attempt(['run', '-k', '1h', 's', 'sh', '-c', 'trap "" TERM; echo $$ > pid; until [ -e go ]; do sleep 0.05; done']);
  await bench.line('pid');
  const { code, stderr } = await bench.run('stop', '-w', '0.5', 's');
  expect(code).toBe(EXIT.busy);
  expect(stderr).toMatch(/still held .* by attempt .*may be cleaning up, blocked or stopped/);
  await bench.start('touch', ['go']).ended;
  expect((await stubborn.ended).signal).toBe('SIGTERM');
});

it('stop of what is not our lock: 1, and it stays', async ({ bench }) => {
  mkdirSync(bench.path('s.lock/of-another-program'), { recursive: true });
  const { code, stderr } = await bench.run('stop', 's');
  expect(code).toBe(EXIT.matter);
  const what = 'what is not a lock of ours (a directory with of-another-program in it)';
  expect(stderr).toBe(`attempt: s: held by ${what}, which cannot be asked; nothing was changed\n`);
  await bench.start('rm', ['-r', 's.lock']).ended;
});

it('--take-over: the holder ends its command and exits 117, the taker runs', async ({ bench }) => {
  const holder = await bench.holder('s');
  const taker = await bench.run('run', '-q', '--take-over', 's', 'sh', '-c', 'echo "$ATTEMPT_TOKEN"');
  expect(taker).toMatchObject({ code: 0, stdout: '2\n' });
  const ended = await holder.ended;
  expect(ended.code).toBe(EXIT.superseded);
  expect(ended.stderr).toMatch(/superseded by attempt [0-9a-f]{8}/);
});

it('--no-supersede: refused, 75, and both waiting line and verdict say so; a stop is not refused', async ({ bench }) => {
  const holder = await bench.holder('s', '--no-supersede');
  const taker = await bench.run('run', '-w', '0.5', '--take-over', 's', 'true');
  expect(taker.code).toBe(EXIT.busy);
  expect(taker.stderr).toMatch(/gave up after .*not to be superseded/);
  expect((await bench.run('stop', 's')).code).toBe(0);
  expect((await holder.ended).signal).toBe('SIGTERM');
});

it('--take-over of one that stands still: told when it goes on, or lost when its lease has ended', async ({ bench }) => {
  const holder = await bench.holder('s');
  holder.kill('SIGTSTP');
  await until('it to stand still', () => isStopped(holder.pid));
  const taker = bench.attempt(['run', '-q', '--take-over', 's', 'sh', '-c', 'echo "$ATTEMPT_TOKEN"']);
  taker.child.stdin?.end();
  const told = ['ask.1.superseded.', 'token.2']; // or taken over already, on a machine that slow
  await until('it to be asked', () => bench.entries('s.attempt').some((name) => told.some((one) => name.startsWith(one))));
  holder.kill('SIGCONT');
  expect(await taker.ended).toMatchObject({ code: 0, stdout: '2\n' });
  expect([EXIT.superseded, EXIT.leaseLost]).toContain((await holder.ended).code);
});

it('--take-over with one try cannot work: 125, and nothing is asked', async ({ bench }) => {
  expect(await bench.run('run', '-n', '--take-over', 's', 'true')).toMatchObject({
    code: EXIT.failed, stderr: expect.stringContaining('a holder that is asked to end needs time'),
  });
});
