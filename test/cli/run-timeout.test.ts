/**
 * The time limit: whatever the command does about it, the lock is given back after the last of its group has ended.
 */
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { isAlive, test } from './support.js';

const it = test.concurrent;

const sh = (script: string): string[] => ['s', 'sh', '-c', script];

it('ends an obedient command by TERM: 124', async ({ bench }) => {
  const { code, stderr } = await bench.run('run', '-t', '0.2', ...sh('trap "echo ended > heard; exit 0" TERM; sleep 60 & wait'));
  expect({ code, stderr }).toEqual({ code: EXIT.timeout, stderr: 'attempt: timed out after 200 ms\n' });
  expect(bench.read('heard')).toBe('ended\n');
});

it('kills a command that ignores TERM after -k, and says so', async ({ bench }) => {
  const stubborn = sh('trap "" TERM; echo $$ > pid; while :; do sleep 0.05; done');
  const { code, stderr } = await bench.run('run', '-t', '0.3', '-k', '0.2', ...stubborn);
  expect({ code, stderr }).toEqual({ code: EXIT.timeout, stderr: 'attempt: timed out after 300 ms; it had to be killed\n' });
});

it('-k 0 never kills: the lock stays with the command until it ends by itself', async ({ bench }) => {
  const stubborn = 'trap "echo heard > heard" TERM; echo $$ > pid; until [ -e go ]; do sleep 0.05; done';
  const started = bench.attempt(['run', '-t', '0.2', '-k', '0', ...sh(stubborn)]);
  await bench.line('heard');
  expect((await bench.run('run', '-nq', 's', 'true')).code).toBe(EXIT.busy);
  await bench.start('touch', ['go']).ended;
  expect((await started.ended).code).toBe(EXIT.timeout);
});

it('-s sends another signal, --preserve-status keeps the command\'s own status', async ({ bench }) => {
  const script = sh('trap "exit 42" USR1; sleep 60 & while :; do wait; done');
  expect((await bench.run('run', '-t', '0.3', '-s', 'USR1', '--preserve-status', ...script)).code).toBe(42);
  expect((await bench.run('run', '-t', '0.2', '-s', '15', '--preserve-status', 's', 'sleep', '60')).code).toBe(143);
});

it('ends grandchildren and background jobs with it', async ({ bench }) => {
  const forking = sh('sh -c "sleep 60 & echo \\$! > deep; wait" & sleep 61 & echo $! > job; wait');
  expect((await bench.run('run', '-t', '0.4', ...forking)).code).toBe(EXIT.timeout);
  for (const name of ['deep', 'job']) expect(isAlive(Number(bench.read(name))), name).toBe(false);
});

it('waits for a background job that outlives its shell, and ends it when the time is over', async ({ bench }) => {
  const { code } = await bench.run('run', '-t', '0.4', ...sh('sleep 60 & echo $! > job; exit 0'));
  expect(code).toBe(EXIT.timeout);
  expect(isAlive(Number(bench.read('job')))).toBe(false);
});

it('kills the rest of the group although its leader obeyed', async ({ bench }) => {
  const script = sh('sh -c \'trap "" TERM; echo $$ > pid; while :; do sleep 0.05; done\' & trap "exit 0" TERM; wait');
  expect((await bench.run('run', '-t', '0.3', '-k', '0.2', ...script)).code).toBe(EXIT.timeout);
  expect(isAlive(Number(bench.read('pid')))).toBe(false);
});

it('does not follow a child that leaves the group (documented): it lives on, the lock is free', async ({ bench }) => {
  const { code } = await bench.run('run', '-t', '0.4', ...sh('setsid sh -c "echo \\$\\$ > away; exec sleep 60" >/dev/null 2>&1 & wait; sleep 60'));
  expect(code).toBe(EXIT.timeout);
  const away = Number(bench.read('away'));
  expect(isAlive(away)).toBe(true);
  bench.orphans.push(away);
  expect((await bench.run('run', '-n', 's', 'true')).code).toBe(0);
});

it('reaches a command that is stopped', async ({ bench }) => {
  expect((await bench.run('run', '-t', '0.3', ...sh('kill -STOP $$'))).code).toBe(EXIT.timeout);
});

it('with --foreground signals and awaits only the command itself', async ({ bench }) => {
  const { code } = await bench.run('run', '--foreground', '-t', '0.4', ...sh('sleep 60 >/dev/null 2>&1 & echo $! > job; wait'));
  expect(code).toBe(EXIT.timeout);
  const job = Number(bench.read('job'));
  expect(isAlive(job)).toBe(true);
  bench.orphans.push(job);
});
