/**
 * The three lines of the README that people write in cron, each run as cron does: by sh, with next to no environment.
 */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { ATTEMPT, test, type Bench, type Started } from './support.js';

const it = test.concurrent;
vi.setConfig({ testTimeout: 120_000 }); // a loaded machine takes its time to start a process
const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

/** The line that runs a script of that name, without what cron has before it and the remark behind it. */
function line(script: string): string {
  const found = new RegExp(`(attempt run .*\\./${script}\\.sh)( +#|$)`, 'm').exec(README)?.[1];
  return found ?? expect.unreachable(`the README has a line that runs ./${script}.sh`) as never;
}

function cron(bench: Bench, command: string): Started {
  const path = `${bench.path('bin')}:${dirname(process.execPath)}:/usr/bin:/bin`;
  // The mark is the test's own: by it, it finds what was left behind.
  return bench.start('sh', ['-c', `exec env -i HOME="$PWD" PATH=${path} TEST_MARK="$TEST_MARK" /bin/sh -c '${command}'`]);
}

/** The job, and the command `attempt` on the path. */
function job(bench: Bench, name: string, text: string): void {
  mkdirSync(bench.path('bin'));
  symlinkSync(ATTEMPT, bench.path('bin/attempt'));
  writeFileSync(bench.path(`${name}.sh`), `#!/bin/sh\n${text}\n`);
  chmodSync(bench.path(`${name}.sh`), 0o755);
}

it('skip if it is still running: the second is silent, does nothing, and is no failure', async ({ bench }) => {
  job(bench, 'backup', 'echo $$ >> started; cat go > /dev/null');
  await bench.start('mkfifo', ['go']).ended;
  const first = cron(bench, line('backup'));
  await bench.line('started');
  expect(await cron(bench, line('backup')).ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  writeFileSync(bench.path('go'), 'go');
  expect(await first.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(bench.read('started').trim().split('\n')).toHaveLength(1);
});

it('wait up to two hours: it runs when the other has ended, and says nothing', async ({ bench }) => {
  job(bench, 'migrate', 'echo $$ > migrated');
  const session = /(\S+) -- /.exec(line('migrate'))?.[1] ?? '';
  const holder = await bench.holder(session);
  const waiting = cron(bench, line('migrate'));
  const waits = async (): Promise<boolean> =>
    ((await localFileLocks().query(bench.path(session)))[0]?.waiting.length ?? 0) > 0;
  while (!await waits()) await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect(bench.has('migrated')).toBe(false);
  holder.free();
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(bench.has('migrated')).toBe(true);
  await holder.ended;
});

it('with a time limit: what the job has started ends with it', async ({ bench }) => {
  job(bench, 'sync', 'sleep 600 & echo $! > child; wait');
  const command = line('sync');
  expect(command).toContain('-t 30m');
  expect((await cron(bench, command.replace('-t 30m', '-t 1s')).ended).code).toBe(124);
});
