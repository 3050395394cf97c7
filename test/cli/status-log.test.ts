/**
 * `attempt status` and `attempt log`: what they show, to people and to programs, and to what statuses they exit.
 */
import { appendFileSync, mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { test, until } from './support.js';

const it = test.concurrent;

it('status tells free (0) from held (75), for a session, several, and a directory', async ({ bench }) => {
  expect(await bench.run('status', 's')).toMatchObject({ code: 0, stdout: 'SESSION  STATE\ns        free\n' });
  const holder = await bench.holder('s', '-l', 'job=nightly');
  const { code, stdout } = await bench.run('status', 's', 'other');
  expect(code).toBe(EXIT.busy);
  expect(stdout.split('\n')[0]).toMatch(/^SESSION +STATE +HELD FOR +LEASE ENDS +PID +ATTEMPT +ABOUT$/);
  expect(stdout.split('\n')[1]).toMatch(new RegExp(`^s +\\S+ +.*s +in .* s +${holder.pid} +[0-9a-f]{8} +job=nightly$`));
  expect(stdout.split('\n')[2]).toBe('other    free');
  expect((await bench.run('status', '.')).stdout).toMatch(/^s +\S+ .*job=nightly$/m);
  expect(await bench.run('status', '-q', 's')).toMatchObject({ code: EXIT.busy, stdout: '', stderr: '' });
  const waiter = bench.attempt(['run', 's', 'true']);
  await until('the waiter to wait', () => waiter.stderr.includes('waiting'));
  const [json] = JSON.parse((await bench.run('status', '--json', 's')).stdout) as unknown[];
  expect(json).toMatchObject({
    session: bench.path('s'), held: true, waiting: [{ pid: waiter.pid }],
    holder: { pid: holder.pid, host: hostname(), token: 1, labels: { job: 'nightly' } },
  });
  holder.free();
  expect([(await holder.ended).code, (await waiter.ended).code]).toEqual([0, 0]);
  expect(await bench.run('status', '-q', '.')).toMatchObject({ code: 0 });
});

it('status of an empty directory, and of a path that leads nowhere', async ({ bench }) => {
  expect(await bench.run('status', '.')).toMatchObject({ code: 0, stdout: 'no sessions here\n' });
  expect(await bench.run('status', 'no/where')).toMatchObject({ code: EXIT.failed });
});

it('a path that ends with / is a directory: where there is none, every command says so, and nothing is touched', async ({ bench }) => {
  writeFileSync(bench.path('file'), '');
  const calls = [
    ['status', '-q', 'none/'], ['doctor', 'none/'], ['stop', 'none/'], ['stop', 'none/x'], ['inspect', 'none/'],
    ['run', 'none/', '--', 'true'],
  ];
  for (const args of calls) {
    expect(await bench.run(...args), args.join(' ')).toMatchObject({
      code: EXIT.failed, stdout: '', stderr: expect.stringMatching(/^attempt: none\/x?: expected a .*, (found|got) .*directory/) as string,
    });
  }
  expect(await bench.run('status', 'file/')).toMatchObject({ code: 0, stdout: expect.stringContaining('file     free') as string });
  expect(bench.entries('.')).toEqual(['file']);
});

it('status shows a lock that is not one of ours', async ({ bench }) => {
  mkdirSync(bench.path('s.lock'));
  const { code, stdout } = await bench.run('status', 's');
  rmdirSync(bench.path('s.lock'));
  expect(code).toBe(EXIT.busy);
  expect(stdout).toMatch(/held .*plain proper-lockfile/);
});

it('a hostile label, note or session name cannot act on the terminal', async ({ bench }) => {
  const session = 'a\u001b[31mb\u202ec';
  const holder = await bench.holder(session, '-l', 'x=\u001b]0;gotcha\u0007\u009b31m');
  for (const args of [['status', session], ['run', '-n', session, 'true'], ['run', '-w', '0.4', session, 'true'], ['status', '--json', session]]) {
    const { stdout, stderr } = await bench.run(...args);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(stdout + stderr, args.join(' ')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
  holder.free();
  await holder.ended;
});

const SESSION = [
  '{"plain":1}', '{"$attempt":1,"n":1}', '{"$attempt":2,"n":2}', '{"$attempt":1,"zombie":true}', '{"$attempt":2,"n":',
  '{"$attempt":2,"t":"\u009b31m\\u001b[31m"}', '',
].join('\n');

it('log shows records with their tokens, what is left out and why, and the sum; nothing hostile', async ({ bench }) => {
  writeFileSync(bench.path('s'), SESSION);
  const { code, stdout, stderr } = await bench.run('log', 's');
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    '     -  -         {"plain":1}', '     1  -         {"n":1}', '     2  -         {"n":2}',
    '     1  -         [left out: line 4, token 1 after token 2] {"zombie":true}',
    '     2  -         {"t":"\\u009b31m\\u001b[31m"}',
    '     -  -         [left out: line 5, torn: something in it cannot be read] ', '',
  ]);
  expect(stderr).toBe('4 records, 1 left out, 1 torn\n');
  const json = (await bench.run('log', '--json', 's')).stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown);
  expect(json).toContainEqual({ token: 1, attempt: null, leftOut: 'token 1 after token 2', line: 4, record: { zombie: true } });
  expect(json).toHaveLength(6);
});

it('log names the attempt of each token: of those that have ended, of the one at work, and not of a forgotten one', async ({ bench }) => {
  const write = 'echo "{\\"n\\":$1}" | node "$ATTEMPT" append; echo $ATTEMPT_ID > id.$1';
  await bench.run('run', '-c', write, 's', '1');
  const holder = bench.attempt(['run', '-c', `${write}; cat`, 's', '2']);
  await bench.line('id.2');
  appendFileSync(bench.path('s'), '{"$attempt":9,"n":3}\n');
  const ids = ['id.1', 'id.2'].map((name) => bench.read(name).trim());
  const json = (await bench.run('log', '--json', 's')).stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown);
  expect(json).toEqual([...ids, null].map((attempt, n) => ({ token: [1, 2, 9][n], attempt, record: { n: n + 1 } })));
  expect((await bench.run('log', 's')).stdout).toMatch(new RegExp(`^ +2 {2}${ids[1]?.slice(0, 8)} {2}\\{"n":2\\}$`, 'm'));
  holder.child.stdin?.end();
  await holder.ended;
});

it('log --follow goes on as the session grows, is made, and is replaced', async ({ bench }) => {
  const follow = bench.attempt(['log', '-f', 's']);
  writeFileSync(bench.path('s'), '{"n":1}\n');
  await until('the first', () => follow.stdout.includes('{"n":1}\n'));
  appendFileSync(bench.path('s'), '{"n":');
  appendFileSync(bench.path('s'), '2}\n');
  await until('the second', () => follow.stdout.includes('{"n":2}\n'));
  writeFileSync(bench.path('new'), '{"n":3}\n');
  renameSync(bench.path('new'), bench.path('s'));
  await until('the replaced', () => follow.stdout.includes('{"n":3}\n'));
  follow.kill('SIGINT');
  const { stdout, stderr, signal } = await follow.ended;
  expect(stdout.match(/\{.*\}/g)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
  expect({ stderr, signal }).toEqual({ stderr: 'the session was replaced; from its beginning:\n', signal: 'SIGINT' });
});

it('log ends when nobody reads it any more', async ({ bench }) => {
  writeFileSync(bench.path('s'), '{"text":"long enough to fill a pipe"}\n'.repeat(20_000));
  const { stdout, stderr } = await bench.start('bash', ['-c', 'node "$ATTEMPT" log s | head -1 | wc -l']).ended;
  expect({ lines: stdout.trim(), stderr }).toEqual({ lines: '1', stderr: '' });
});

it('log of a session that is not there, or is a directory, says so', async ({ bench }) => {
  expect(await bench.run('log', 's')).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('found nothing') as string });
  expect(await bench.run('log', '.')).toMatchObject({ code: EXIT.failed, stdout: '' });
});
