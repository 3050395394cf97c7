/**
 * Signals: passed on unchanged, a second one kills, and after the lock is given back `attempt` ends by that signal.
 */
import { expect } from 'vitest';
import { type Bench, isAlive, isStopped, type Started, test, until } from './support.js';

const it = test.concurrent;

const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** A command that says which signal it heard, and ends some time after; its background job dies of it at once. */
const OBEDIENT = `for s in INT TERM HUP QUIT; do trap "echo $s > heard; exit 9" $s; done
  echo $$ > pid; while :; do sleep 0.02; done`;
const STUBBORN = 'trap "" INT TERM HUP QUIT; echo $$ > pid; while :; do sleep 0.02; done';

async function running(bench: Bench, script: string, ...options: readonly string[]): Promise<Started & { command: number }> {
  const started = bench.attempt(['run', ...options, 's', 'sh', '-c', script]);
  return Object.assign(started, { command: Number(await bench.line('pid')) });
}

it.for(STOPS)('%s is passed to the group; the lock is given back; attempt ends by it', async (signal, { bench }) => {
  const started = await running(bench, OBEDIENT);
  started.kill(signal);
  expect(await started.ended).toMatchObject({ code: null, signal });
  expect(bench.read('heard')).toBe(`${signal.slice(3)}\n`);
});

it.for(STOPS)('a second signal (%s) kills the whole group at once', async (signal, { bench }) => {
  const started = await running(bench, `(${STUBBORN.replace('pid', 'job')}) & ${STUBBORN}`, '-v');
  started.kill(signal);
  await until('the first to be heard', () => started.stderr.includes('aborting.user'));
  started.kill(signal === 'SIGINT' ? 'SIGTERM' : 'SIGINT');
  const { signal: endedBy } = await started.ended;
  expect(endedBy, 'by the first').toBe(signal);
  expect(isAlive(started.command)).toBe(false);
});

it('a stubborn command is killed after -k', async ({ bench }) => {
  const started = await running(bench, STUBBORN, '-k', '0.2');
  started.kill('SIGTERM');
  expect(await started.ended).toMatchObject({ signal: 'SIGTERM' });
});

it.for(STOPS)('%s while waiting: the wait is over, nothing is run', async (signal, { bench }) => {
  const holder = await bench.holder('s');
  const waiter = bench.attempt(['run', 's', 'touch', 'ran']);
  await until('the line that it waits', () => waiter.stderr.includes('waiting for s'));
  waiter.kill(signal);
  if (signal === 'SIGINT') waiter.kill('SIGTERM');
  expect(await waiter.ended).toMatchObject({ code: null, signal: signal === 'SIGINT' ? expect.stringMatching(/INT|TERM/) : signal });
  holder.free();
  expect((await holder.ended).code).toBe(0);
  expect(bench.has('ran')).toBe(false);
});

it('Ctrl-C in a loop of the shell stops the loop', async ({ bench }) => {
  const loop = 'for i in 1 2 3; do node "$ATTEMPT" run s sh -c "echo \\$\\$ > pid; exec sleep 60"; echo next >> rounds; done';
  const shell = bench.start('setsid', ['--wait', 'bash', '-c', `echo $$ > shell; ${loop}`]);
  const command = Number(await bench.line('pid'));
  process.kill(-Number(await bench.line('shell')), 'SIGINT'); // what a terminal does: to the shell and to attempt
  await shell.ended;
  expect(bench.has('rounds')).toBe(false);
  expect(isAlive(command)).toBe(false);
});

it('USR1, ALRM and USR2 are passed on and end nothing here', async ({ bench }) => {
  const traps = 'trap "echo 1 >> got" USR1; trap "echo A >> alarm" ALRM; trap "echo 2 >> got; exit 7" USR2';
  const started = await running(bench, `${traps}; echo $$ > pid; while :; do sleep 0.02; done`);
  started.kill('SIGUSR1');
  await bench.line('got');
  started.kill('SIGALRM');
  await bench.line('alarm');
  started.kill('SIGUSR2');
  expect(await started.ended).toMatchObject({ code: 7, signal: null });
  expect(bench.read('got')).toBe('1\n2\n');
});

it('kill -9 of the command is the command\'s own end: 137, the lock is given back', async ({ bench }) => {
  const started = await running(bench, 'echo $$ > pid; exec sleep 60');
  process.kill(started.command, 'SIGKILL');
  expect(await started.ended).toMatchObject({ code: 137, signal: null });
});

it('TSTP stops the group and attempt; CONT continues both, and nothing is lost', async ({ bench }) => {
  const started = await running(bench, 'echo $$ > pid; read -r line; echo "went on: $line"');
  started.kill('SIGTSTP');
  await until('both stopped', () => isStopped(started.pid) && isStopped(started.command));
  started.type('go\n');
  started.kill('SIGCONT');
  expect(await started.ended).toMatchObject({ code: 0, stdout: 'went on: go\n' });
});
