/**
 * `attempt` itself fails while its command runs: the command does not outlive the lock. A fault in our own code cannot
 * be asked for, so one is put into the process from outside, through NODE_OPTIONS.
 */
import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { isAlive, test, until, type Bench } from './support.js';

const it = test.concurrent;

/** Runs `fault` in the process of `attempt` (not in its children) as soon as the file `go` is there. */
function injecting(bench: Bench, fault: string): NodeJS.ProcessEnv {
  const file = bench.path('fault.mjs');
  writeFileSync(file, `import { existsSync } from 'node:fs';
    if (process.argv[2] === 'run') setInterval(() => { if (existsSync('go')) { ${fault} } }, 5).unref();`);
  return { NODE_OPTIONS: `--import=${file}` };
}

it.for<[name: string, fault: string]>([
  ['an uncaught exception', 'throw new Error("injected");'],
  ['an unhandled rejection', 'Promise.reject(new Error("injected"));'],
  ['process.exit', 'process.exit(9);'],
])('%s in attempt: the whole group is killed, the lock given back, 125', async ([, fault], { bench }) => {
  const command = 'trap "" TERM HUP; sleep 600 & echo $! > child; echo $$ > pid; wait';
  const crashing = bench.attempt(['run', 's', 'sh', '-c', command], { env: injecting(bench, fault) });
  const pids = [Number(await bench.line('pid')), Number(await bench.line('child'))];
  await bench.start('touch', ['go']).ended;
  expect(await crashing.ended).toMatchObject({ code: EXIT.failed, signal: null });
  await until('the command and its child to be gone', () => pids.every((pid) => !isAlive(pid)));
  expect(await bench.run('run', '-n', 's', 'echo', 'free'), 'the exit hook gave the lock back').toMatchObject({
    code: 0, stdout: 'free\n',
  });
});
