/**
 * How `attempt run` ends: the command's own status, or the table of exits. And what a call may look like.
 */
import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { EXIT } from '../../src/cli/exits.js';
import { test, until } from './support.js';

const it = test.concurrent;

it('passes the command\'s own status through, even one of its own table', async ({ bench }) => {
  for (const code of [0, 3, EXIT.busy, 255]) {
    expect(await bench.run('run', 's', 'sh', '-c', `exit ${code}`)).toMatchObject({ code, stderr: '' });
  }
});

it('says 128 + n of a command that a signal ended', async ({ bench }) => {
  expect(await bench.run('run', 's', 'sh', '-c', 'kill -KILL $$')).toMatchObject({ code: 137, signal: null });
});

it('tells a missing command (127) from one that cannot be executed (126), and says so even when quiet', async ({ bench }) => {
  const missing = await bench.run('run', '-q', 's', 'no-such-command');
  expect(missing).toMatchObject({ code: 127, stderr: 'attempt: no-such-command: command not found\n' });
  writeFileSync(bench.path('text'), 'not a program');
  const unfit = await bench.run('run', '-q', 's', './text');
  expect(unfit).toMatchObject({ code: 126, stderr: 'attempt: ./text: cannot be executed (EACCES)\n' });
});

it('ends its options at the session; -- is optional and may stand on either side', async ({ bench }) => {
  for (const words of [['s'], ['s', '--'], ['--', 's'], ['--', 's', '--']]) {
    expect(await bench.run('run', ...words, 'printf', '%s.', '-n', '--', '-t')).toMatchObject({ code: 0, stdout: '-n.--.-t.' });
  }
});

it('says where options belong when one stands behind the session, as flock(1) has it, and touches nothing', async ({ bench }) => {
  const { code, stderr } = await bench.run('run', 's', '-c', 'true');
  expect(code).toBe(EXIT.failed);
  expect(stderr).toMatch(/^attempt: -c: expected a command, got an option; .*: attempt run -c \.\.\. <session> .*\n$/);
  expect(bench.entries('.')).toEqual([]);
  expect((await bench.run('run', 's', '--', '-c')).code, 'behind -- it is a command').toBe(EXIT.notFound);
});

it.for<[string[], RegExp]>([
  [['run', '--nonblok', 's', 'true'], /unknown option '--nonblok'\n.*--nonblock/],
  [['ru', 's', 'true'], /unknown command 'ru'\n.*run/],
  [['run'], /^attempt: run: expected <session>, got none; see attempt run --help\n$/],
  [['status'], /^attempt: status: expected <session\|dir>, got none; see attempt status --help\n$/],
  [['doctor'], /^attempt: doctor: expected <session\|dir>, got none; see attempt doctor --help\n$/],
  [['unlock', 's'], /^attempt: unlock: expected --token <n>, got none; attempt doctor s shows it\n$/],
  [['unlock', '--token', '1.5', 's'], /argument '1.5' is invalid/],
  [['inspect', '--port', '80x'], /argument '80x' is invalid/],
  [['run', 's'], /^attempt: run: expected a command/],
  [['run', '--', 'make'], /^attempt: run: expected <session> before --, got none: attempt run <session> -- make; see/],
  [['run', '-n', '-w', '5', 's', 'true'], /-n, --nonblock' cannot be used with option '-w, --wait/],
  [['run', '-w', '5x', 's', 'true'], /duration such as 250ms, 1.5s, 2m, 1h/],
  [['run', '-E', '256', 's', 'true'], /0 to 255/],
  [['run', '-s', 'NOPE', 's', 'true'], /signal/],
  [['run', '-l', 'nothing', 's', 'true'], /key=value/],
  [['run', '/', 'true'], /^attempt: \/: expected a file to lock, got a directory; name a file in it\n$/],
  [['run', '--report', 'no/where', 's', 'true'], /^attempt: --report: expected a file to write, found ENOENT: .* 'no\/where'\n$/],
  [['run', '--trace', 'no/where', 's', 'true'], /^attempt: --trace: expected a file to write, found ENOENT: .* 'no\/where'\n$/],
  [['check', '--trace', 'nowhere'], /^attempt: --trace: expected a file to read, found ENOENT: .* 'nowhere'\n$/],
  [['inspect', '--replay', 'nowhere'], /^attempt: --replay: expected a file to read, found ENOENT: .* 'nowhere'\n$/],
  [['migrate', '--store', 'redis://u:secret@h'], /^attempt: migrate: expected --store postgres:\/\/..., got redis:\/\/...: only/],
])('calls %j a wrong call: 125, in at most two lines, and nothing is run', async ([args, message], { bench }) => {
  const { code, stdout, stderr } = await bench.run(...args);
  expect({ code, stdout }).toEqual({ code: EXIT.failed, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^attempt: /);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
});

it('-n makes one try and exits 75, -E chooses another status, and the holder is named', async ({ bench }) => {
  const holder = await bench.holder('s', '-l', 'job=nightly');
  const busy = await bench.run('run', '-n', 's', 'true');
  expect(busy.code).toBe(EXIT.busy);
  expect(busy.stderr).toMatch(/^attempt: s is held for .* by attempt [0-9a-f]{8} \(.*pid \d+, job=nightly\); free in .*\n$/);
  expect(await bench.run('run', '-nq', '-E', '0', 's', 'true')).toMatchObject({ code: 0, stderr: '' });
  holder.free();
  expect((await holder.ended).code).toBe(0);
});

it('-w gives up when the wait is over, and says how long it was', async ({ bench }) => {
  const holder = await bench.holder('s');
  const late = await bench.run('run', '-w', '0.3', 's', 'true');
  expect(late.code).toBe(EXIT.busy);
  expect(late.stderr.split('\n').at(-2)).toMatch(/^attempt: gave up after .* m?s: s is held for /);
  holder.free();
  await holder.ended;
});

it('-w waits for as long as it takes, and then runs', async ({ bench }) => {
  const holder = await bench.holder('s');
  const waiter = bench.attempt(['run', '-w', 'inf', 's', 'echo', 'mine']);
  await until('the line that it waits', () => waiter.stderr.includes('\n'));
  expect(waiter.stderr).toMatch(/^attempt: waiting for s \(without a limit\): held for .* by attempt .*\n$/);
  holder.free();
  expect(await waiter.ended).toMatchObject({ code: 0, stdout: 'mine\n' });
  await holder.ended;
});

it('-c runs a line of shell, further words being its arguments', async ({ bench }) => {
  const { stdout } = await bench.run('run', '-c', 'echo "$# $1" | tr a-z A-Z', 's', 'one', 'two');
  expect(stdout).toBe('2 ONE\n');
});

it('tells the command who it is by ATTEMPT_ID, ATTEMPT_TOKEN (which rises) and ATTEMPT_SESSION', async ({ bench }) => {
  const tell = ['sh', '-c', 'echo "$ATTEMPT_TOKEN $ATTEMPT_ID $ATTEMPT_SESSION"'];
  const [first, second] = [await bench.run('run', 's', ...tell), await bench.run('run', 's', ...tell)];
  expect(first.stdout).toMatch(new RegExp(`^1 [0-9a-f-]{36} ${bench.path('s')}\n$`));
  expect(second.stdout).toMatch(/^2 /);
});

it('-v says which states it passes', async ({ bench }) => {
  const { stderr } = await bench.run('run', '-v', 's', 'true');
  expect(stderr).toMatch(/^attempt: s: acquiring\.waiting\n.*locked\n.*running.*\n.*releasing.*\n.*released\n$/s);
});

it('--report tells what the exit status cannot: a command\'s own 75 from a busy lock', async ({ bench }) => {
  await bench.run('run', '--report', 'own.json', '-l', 'a=b', 's', 'sh', '-c', 'exit 75');
  expect(JSON.parse(bench.read('own.json'))).toMatchObject({
    outcome: 'completed', lease: 'released', value: { code: 75, signal: null }, token: 1, labels: { a: 'b' },
  });
  const holder = await bench.holder('s');
  await bench.run('run', '-n', '--report', 'busy.json', 's', 'true');
  expect(JSON.parse(bench.read('busy.json'))).toMatchObject({
    outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_BUSY', holder: { state: expect.any(String) } },
  });
  holder.free();
  await holder.ended;
});

it('M08: does not wait for itself: a command asking for a lock it runs under is told so at once, at any depth', async ({ bench }) => {
  const again = 'node "$ATTEMPT" run s true';
  for (const [command, through] of [
    [again, /\(attempt [0-9a-f]{8}\) and would wait for its own end/],
    [`node "$ATTEMPT" run other sh -c '${again}'`, /, through another attempt\) and would/],
    [`node "$ATTEMPT" run other node "$ATTEMPT" run third sh -c '${again}'`, /, through 2 other attempts\) and would/],
  ] as const) {
    const { code, stderr } = await bench.run('run', '-c', command, 's');
    expect(code).toBe(EXIT.failed);
    expect(stderr).toMatch(through);
  }
  const apart = await bench.run('run', '-c', 'node "$ATTEMPT" run other true && node "$ATTEMPT" run other true', 's');
  expect(apart, 'an attempt that has ended refuses nobody').toMatchObject({ code: 0, stderr: '' });
}, 120_000);

it('prints its version, its exits, and help that fits 80 columns and names every option', async ({ bench }) => {
  expect((await bench.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { stdout: exits } = await bench.run('--explain-exit');
  expect(exits).toMatch(/116 .*117 .*124 .*125 .*126 .*127 /s);
  expect([...COMMANDS.keys()].filter((name) => !exits.includes(`\`attempt ${name}\``)), 'left out').toEqual([]);
  for (const command of [[], ...[...COMMANDS.keys()].map((name) => [name])]) {
    const { code, stdout } = await bench.run(...command, '--help');
    expect(code).toBe(0);
    expect((await bench.run('help', ...command)).stdout).toBe(stdout);
    expect(stdout.split('\n').filter((line) => line.length > 80), command.join()).toEqual([]);
    expect(stdout).toMatch(/Examples:\n {2}\$ /);
  }
}, 60_000);

it('the lines of help are broken by hand: at 80 columns they are those of a wide terminal', () => {
  const helpAt = (columns: number, name: string): string => {
    const program = new Command('attempt').enablePositionalOptions().configureOutput({ getOutHelpWidth: () => columns });
    COMMANDS.get(name)?.(program);
    return program.commands[0]?.helpInformation() ?? '';
  };
  for (const name of COMMANDS.keys()) expect(helpAt(80, name), name).toBe(helpAt(1_000, name));
});
