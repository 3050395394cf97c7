/**
 * `--store files:<dir>`: locks that do not lie beside their sessions, for places where one may not write there.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { inheritAttempt } from '../../src/session/inherit.js';
import { EXIT } from '../../src/cli/exits.js';
import { test, until, type Bench, type Started } from './support.js';

const STORE = ['--store', 'files:locks'];

/** Sessions in a directory of their own, locks in another. */
function apart(bench: Bench): (...args: string[]) => ReturnType<Bench['run']> {
  mkdirSync(bench.path('sessions'));
  writeFileSync(bench.path('sessions/a.jsonl'), '{"role":"user"}\n');
  return (command, ...args) => bench.run(String(command), ...STORE, ...args);
}

test.concurrent('nothing is laid beside the session, and every command finds the lock', async ({ bench }) => {
  const on = apart(bench);
  const holder = bench.attempt(['run', ...STORE, '-l', 'job=nightly', 'sessions/a.jsonl', '--', 'sh', '-c', 'echo $ATTEMPT_TOKEN > seen; exec cat']);
  expect(await bench.line('seen')).toBe('1');
  expect(bench.entries('sessions')).toEqual(['a.jsonl']);
  expect(bench.entries('locks').filter((name) => name.endsWith('.lock'))).toHaveLength(1);

  expect(await on('run', '-n', 'sessions/a.jsonl', 'true')).toMatchObject({ code: EXIT.busy, stderr: expect.stringContaining('job=nightly') });
  for (const path of ['sessions/a.jsonl', 'sessions']) {
    const { code, stdout } = await on('status', '--json', path);
    expect(code).toBe(EXIT.busy);
    expect(JSON.parse(stdout)).toMatchObject([{ session: bench.path('sessions/a.jsonl'), held: true, holder: { token: 1, pid: holder.pid } }]);
  }
  const store = `--store files:${bench.path('locks')}`;
  const looked = await on('doctor', '--json', 'sessions');
  expect(JSON.parse(looked.stdout)).toMatchObject({
    sessions: [{ condition: 'healthy', next: { command: `attempt status --watch ${store} ${bench.path('sessions/a.jsonl')}` } }],
  });
  const refused = await on('unlock', '--token', '1', 'sessions/a.jsonl');
  expect(refused).toMatchObject({ code: EXIT.busy, stderr: expect.stringContaining(`--force --token 1 ${store} sessions/a.jsonl`) });
  const stopped = await on('stop', 'sessions/a.jsonl');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted by user, lock released') });
  expect((await holder.ended).signal).toBe('SIGTERM');
  expect(bench.entries('sessions')).toEqual(['a.jsonl']);
});

test.concurrent('a command writes records into the session, and the log names their attempt', async ({ bench }) => {
  const on = apart(bench);
  const append = `echo '{"done":true}' | "$ATTEMPT_NODE" "$ATTEMPT" append; echo $ATTEMPT_ID > id`;
  const env = { ATTEMPT_NODE: process.execPath };
  const { child, ended } = bench.attempt(['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', append], { env });
  child.stdin?.end();
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  const { stdout } = await on('log', '--json', 'sessions/a.jsonl');
  expect(stdout.trim().split('\n').map((line) => JSON.parse(line))).toEqual([
    { token: null, attempt: null, record: { role: 'user' } }, { token: 1, attempt: await bench.line('id'), record: { done: true } },
  ]);
});

test.concurrent('a library in a child of it writes there too', async ({ bench }) => {
  apart(bench);
  const tell = 'env | grep ^ATTEMPT_ > telling; mv telling told; exec cat';
  const holder = bench.attempt(['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', tell]);
  await bench.line('told');
  const env = Object.fromEntries(bench.read('told').trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  expect(env).toMatchObject({ ATTEMPT_KEPT_IN: `files:${bench.path('locks')}` });
  const inherited = inheritAttempt(env);
  await inherited.session.append({ from: 'a child' });
  inherited.close();
  holder.child.stdin?.end();
  expect((await holder.ended).code).toBe(0);
  expect(bench.read('sessions/a.jsonl')).toContain('"from":"a child"');
  expect(() => inheritAttempt(env)).toThrow(expect.objectContaining({ code: 'WRITE_FENCED' }));
});

test.concurrent('the lock of a killed attempt is found in its directory, and given back there', async ({ bench }) => {
  const on = apart(bench);
  const holder = bench.attempt(['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', 'echo $$ > seen; exec cat']);
  bench.orphans.push(Number(await bench.line('seen')));
  holder.kill('SIGKILL');
  await holder.ended;
  const { stdout } = await on('doctor', 'sessions');
  expect(stdout).toContain(`attempt doctor --fix --store files:${bench.path('locks')}`);
  expect(await on('doctor', '--fix', 'sessions')).toMatchObject({ code: 0, stdout: expect.stringContaining('gave back the lock of') });
});

test.concurrent('S2: under the lock of a session another attempt on it is refused, though it would keep its lock elsewhere', async ({ bench }) => {
  const on = apart(bench);
  const nested = '"$ATTEMPT_NODE" "$ATTEMPT" run -n';
  const env = { ATTEMPT_NODE: process.execPath };
  const twice = ['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', `${nested} sessions/a.jsonl touch no`];
  const refused = bench.attempt(twice, { env });
  refused.child.stdin?.end();
  expect(await refused.ended).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining(`kept in files:${bench.path('locks')}`) });
  const between = `${nested} --store files:elsewhere sessions/b.jsonl -- sh -c '${nested} sessions/a.jsonl touch no'`;
  const through = bench.attempt(['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', between], { env });
  through.child.stdin?.end();
  expect(await through.ended, 'through another one, of another store').toMatchObject({
    code: EXIT.failed, stderr: expect.stringContaining(`kept in files:${bench.path('locks')}`),
  });
  const { child, ended } = bench.attempt(['run', ...STORE, 'sessions/a.jsonl', '--', 'sh', '-c', `${nested} sessions/b.jsonl touch yes`], { env });
  child.stdin?.end();
  expect(await ended, 'another session').toMatchObject({ code: 0 });
  expect(bench.entries('.')).toEqual(expect.arrayContaining(['yes']));
  expect(bench.entries('.')).not.toContain('no');
  expect((await on('status', 'sessions/a.jsonl')).code).toBe(0);
});

test.concurrent('of a directory every lock is found, also of a session without a file, and none of another directory', async ({ bench }) => {
  const on = apart(bench);
  mkdirSync(bench.path('others'));
  mkdirSync(bench.path('sessions/nested'));
  symlinkSync('../others/c.jsonl', bench.path('sessions/link'));
  writeFileSync(bench.path('others/c.jsonl'), '');
  const hold = (session: string): Started =>
    bench.attempt(['run', ...STORE, session, '--', 'sh', '-c', `echo $$ > ${session.replaceAll('/', '.')}.gate; exec cat`]);
  const held = ['sessions/ghost.state', 'others/b.jsonl', 'others/c.jsonl'];
  const holders = held.map(hold);
  for (const session of held) await bench.line(`${session.replaceAll('/', '.')}.gate`);
  const { code, stdout } = await on('status', '--json', 'sessions/');
  expect(code).toBe(EXIT.busy);
  expect((JSON.parse(stdout) as { session: string; held: boolean }[]).map(({ session, held: is }) => [session, is]))
    .toEqual([[bench.path('sessions/ghost.state'), true], [bench.path('others/c.jsonl'), true]]);
  expect((await on('doctor', 'sessions')).stdout).toMatch(/^sessions\/ghost\.state: held for /m);
  expect((await bench.run('status', '--store', 'files:nowhere', 'sessions')).stdout).toBe('no sessions here\n');
  for (const { child } of holders) child.stdin?.end();
  for (const { ended } of holders) expect((await ended).code).toBe(0);
});

test.concurrent('who names files beside their sessions, against the environment, is advised so', async ({ bench }) => {
  apart(bench);
  const env = { ATTEMPT_STORE: 'files:locks' };
  const holder = bench.attempt(['run', '--store', 'files', 'sessions/a.jsonl', '--', 'sh', '-c', 'echo $$ > seen; exec cat'], { env });
  await bench.line('seen');
  const looked = bench.attempt(['doctor', '--json', '--store', 'files', 'sessions/a.jsonl'], { env });
  expect((await looked.ended).signal).toBe(null);
  expect(looked.stdout).toContain('attempt status --watch --store files ');
  holder.child.stdin?.end();
  expect((await holder.ended).code).toBe(0);
});

test.concurrent('a word that names no directory is refused, before anything is touched', async ({ bench }) => {
  const { code, stderr } = await bench.run('run', '--store', 'files:', 'a.jsonl', 'true');
  expect({ code, stderr }).toEqual({ code: EXIT.failed, stderr: expect.stringContaining('expected files, files:<directory>') });
  expect(bench.entries('.')).toEqual([]);
});

test.concurrent('the page shows those locks; an engine\'s it cannot', async ({ bench }) => {
  const on = apart(bench);
  expect((await on('run', 'sessions/a.jsonl', 'true')).code).toBe(0);
  const page = bench.attempt(['inspect', ...STORE, 'sessions']);
  await until('the address of the page', () => page.stdout.includes('http'));
  page.kill('SIGTERM');
  expect(await page.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  const refused = await bench.run('inspect', '--store', 'redis://x', 'sessions');
  expect(refused).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('locks in files') });
});
