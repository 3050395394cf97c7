/**
 * `--store`: the command on locks in PostgreSQL and in Redis.
 */
import { expect } from 'vitest';
import { freePort } from '../../src/bench/engine-servers.js';
import { EXIT } from '../../src/cli/exits.js';
import { describeWith } from '../support/servers.js';
import { useStores } from './stores.js';
import { test, until, type Bench } from './support.js';

/** The same for each engine: a holder, somebody who will not wait, who does wait, and what can be seen of it. */
async function onStore(bench: Bench, url: string): Promise<void> {
  const env = { ATTEMPT_STORE: url };
  const run = (...args: string[]) => {
    const started = bench.attempt(args, { env });
    started.child.stdin?.end();
    return started.ended;
  };
  const command = ['sh', '-c', 'echo $ATTEMPT_SESSION $ATTEMPT_TOKEN > seen; exec cat'];
  const holder = bench.attempt(['run', '--store', url, '-l', 'job=nightly', 'key', '--', ...command]);
  expect(await bench.line('seen')).toBe('key 1');
  expect(await run('run', '-n', 'key', 'true')).toMatchObject({ code: EXIT.busy, stderr: expect.stringContaining('job=nightly') });
  const waiter = bench.attempt(['run', '--report', 'report.json', 'key', '--', 'sh', '-c', 'echo $ATTEMPT_TOKEN'], { env });
  waiter.child.stdin?.end();
  await until('the waiter to wait', () => waiter.stderr.includes('waiting'));
  const { code, stdout } = await run('status', '--json', 'key', 'other');
  expect(code).toBe(EXIT.busy);
  expect(JSON.parse(stdout)).toMatchObject([
    { session: 'key', held: true, holder: { token: 1, pid: holder.pid }, waiting: [{ pid: waiter.pid }] }, { session: 'other', held: false },
  ]);
  holder.child.stdin?.end();
  expect((await holder.ended).code).toBe(0);
  expect(await waiter.ended).toMatchObject({ code: 0, stdout: '2\n' });
  const scope = url.startsWith('redis') ? 'until-failover' : 'durable';
  expect(JSON.parse(bench.read('report.json'))).toMatchObject({ lease: 'released', token: 2, tokenScope: scope });
}

describeWith(['postgres', 'redis'], 'the command on an engine', () => {
  const urls = useStores();

  test.concurrent('postgres://: tables are missing, made, and used', async ({ bench }) => {
    const before = await bench.run('run', '--store', urls.postgres, 'key', 'true');
    expect(before).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('migrate') });
    expect((await bench.run('migrate', '--print')).stdout).toContain('CREATE TABLE IF NOT EXISTS "attempt".locks');
    expect(await bench.run('migrate', '--store', urls.postgres)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    await onStore(bench, urls.postgres);
    const on = (...args: string[]) => bench.run(...args.slice(0, 1), '--store', urls.postgres, ...args.slice(1));
    expect(await on('log', 'key')).toMatchObject({ code: 0, stdout: '', stderr: '0 records\n' });
  });

  test.concurrent('redis://', ({ bench }) => onStore(bench, urls.redis));
});

test.concurrent('a store that is none, and one that is not there', async ({ bench }) => {
  for (const [url, says] of [['mysql://x', 'mysql://']] as const) {
    expect(await bench.run('run', '--store', url, 'key', 'true')).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining(says) });
  }
  const { code, stderr } = await bench.run('status', '--store', `postgres://postgres@127.0.0.1:${await freePort()}/postgres`, 'key');
  expect(code).toBe(EXIT.failed);
  expect(stderr).toMatch(/^attempt: .+\n$/);
});
