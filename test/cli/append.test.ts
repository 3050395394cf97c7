/**
 * `attempt append` and `inheritAttempt()`: a child of an attempt writes fenced records, and only while it lasts.
 */
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { inheritAttempt } from '../../src/session/inherit.js';
import { test, type Bench } from './support.js';

const it = test.concurrent;
const lines = (bench: Bench): unknown[] => bench.read('s').split('\n').filter(Boolean).map((line) => JSON.parse(line) as unknown);
const under = (bench: Bench, script: string) => bench.run('run', '-q', '-c', script, 's');

it('several children, one after another and at once, write with their attempt\'s token', async ({ bench }) => {
  const one = 'echo "{\\"n\\":$n}" | node "$ATTEMPT" append';
  const { code, stderr } = await under(bench, `n=1; ${one} && n=2; ${one} && { for n in 3 4 5; do ${one} & done; wait; }`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(lines(bench).slice(0, 2)).toEqual([{ $attempt: 1, n: 1 }, { $attempt: 1, n: 2 }]);
  expect(lines(bench)).toHaveLength(5);
});

it('a token is above those of the records that are there, wherever they came from', async ({ bench }) => {
  await bench.start('sh', ['-c', 'echo "{\\"\\$attempt\\":41,\\"old\\":true}" > s']).ended;
  expect((await under(bench, 'echo "{}" | node "$ATTEMPT" append; echo $? >&2')).stderr).toBe('0\n');
  expect(lines(bench).at(-1)).toEqual({ $attempt: 42 });
});

it('bad JSON, and JSON that is no object, is named by its line; what came before is written', async ({ bench }) => {
  const bad = await under(bench, 'printf \'{"n":1}\\n\\n{"n":\\n{"n":4}\\n\' | node "$ATTEMPT" append');
  expect(bad.code).toBe(EXIT.failed);
  expect(bad.stderr).toMatch(/^attempt: line 3: expected a JSON object: .*\(1 before it written\)\n$/);
  const list = await under(bench, 'echo "[1]" | node "$ATTEMPT" append');
  expect(list.stderr).toMatch(/^attempt: line 1: .*\(nothing written\)\n$/);
  expect(list.stderr, 'told once').not.toContain('Nothing was written');
  expect(lines(bench)).toEqual([{ $attempt: 1, n: 1 }]);
});

it('a long stream is written in the memory of a line', async ({ bench }) => {
  const produce = 'node -e \'const l = JSON.stringify({ t: "x".repeat(1000) }) + "\\n";'
    + ' for (let i = 0; i < 20000; i++) require("fs").writeSync(1, l)\'';
  const small = 'node --max-old-space-size=24 "$ATTEMPT" append';
  expect(await under(bench, `${produce} | ${small}`)).toMatchObject({ code: 0, stderr: '' });
  expect(bench.read('s').split('\n')).toHaveLength(20_001);
});

it('outside of an attempt it is a wrong call', async ({ bench }) => {
  expect((await bench.run('append')).stderr).toMatch(/^attempt: expected to run under `attempt run`, .*; got none of them\n$/);
});

it('after the attempt has ended it is refused: 116, and nothing is written', async ({ bench }) => {
  await bench.run('run', '-q', 's', 'sh', '-c', 'env | grep ^ATTEMPT_ > env');
  const env = Object.fromEntries(bench.read('env').trim().split('\n').map((line) => line.split('=') as [string, string]));
  const late = bench.attempt(['append'], { env });
  late.child.stdin?.end('{"late":true}\n');
  expect(await late.ended).toMatchObject({ code: EXIT.leaseLost });
  expect(late.stderr).toMatch(/has ended; nothing can be written for it any more/);
  expect(bench.has('s')).toBe(false);
  expect(() => inheritAttempt(env)).toThrow(expect.objectContaining({ code: 'WRITE_FENCED' }));
});

it('inheritAttempt() writes, guards, and refuses after close() and for a missing environment', async ({ bench }) => {
  const holder = await bench.holder('s');
  const [owner = ''] = bench.entries('s.lock');
  const inherited = inheritAttempt({ ATTEMPT_ID: 'x', ATTEMPT_SESSION: bench.path('s'), ATTEMPT_TOKEN: owner.split('.')[1] });
  await inherited.session.append({ a: 1 });
  inherited.session.appendSync({ a: 2 });
  expect(inherited.session.guard(() => 'went through')).toBe('went through');
  inherited.close();
  await expect(inherited.session.append({ a: 3 })).rejects.toMatchObject({ code: 'WRITER_CLOSED' });
  expect(lines(bench)).toEqual([{ $attempt: 1, a: 1 }, { $attempt: 1, a: 2 }]);
  expect(() => inheritAttempt({})).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  holder.free();
  await holder.ended;
});
