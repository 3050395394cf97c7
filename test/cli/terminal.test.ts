/**
 * In a real terminal: what is drawn while waiting, who hears the keyboard, and the control of jobs.
 */
import { expect } from 'vitest';
import { screenOf } from './screen.js';
import { ATTEMPT, hasBash, hasPty, test, until, type Bench, type Started } from './support.js';

const it = hasPty ? test.concurrent : (test.skip as typeof test.concurrent);
const itWithJobs = hasBash ? it : (test.skip as typeof it);
const WAITING = /waiting for s: /;
const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

const run = (bench: Bench, columns: number, args: readonly string[], env = {}): Started =>
  bench.terminal(columns, process.execPath, [ATTEMPT, 'run', ...args], { env });
const seen = (started: Started, columns = 80): string => screenOf(started.stdout, columns).join('\n');

it.for([80, 100])('waiting at %d columns: three lines that never wrap, and nothing of them is left', async (columns, { bench }) => {
  const label = `text=${'x'.repeat(200)}`;
  const holder = await bench.holder('s', '-l', label);
  const waiter = run(bench, columns, ['-l', label, 's', 'echo', 'mine']);
  await until('a second drawing', () => waiter.stdout.split(WAITING).length > 3);
  const lines = seen(waiter, columns).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^\S waiting for s: [\d.]+ m?s of at most 1 min$/);
  expect(lines[1]).toMatch(/^ {2}held for .* by attempt [0-9a-f]{8} \(\S+, pid \d+, text=x+\u2026$/);
  expect(lines[2]).toMatch(/^ {2}free in .* at the latest, unless it is renewed$/);
  expect(waiter.stdout).not.toContain('\u001b[?25l'); // the cursor is never hidden: a kill would leave it so
  holder.free();
  await waiter.ended;
  expect(seen(waiter, columns).trim()).toBe('mine');
  await holder.ended;
});

it('a terminal of no width gets one line, and its command: ora would clear lines for ever', async ({ bench }) => {
  const holder = await bench.holder('s');
  const waiter = run(bench, 0, ['s', 'echo', 'mine']);
  await until('a word', () => WAITING.test(waiter.stdout) || waiter.stdout.includes('waiting for s ('));
  holder.free();
  await waiter.ended;
  expect(waiter.stdout).toMatch(/^attempt: waiting for s \(at most 1 min\): held .*\r\nmine\r\n$/);
  await holder.ended;
});

it('NO_COLOR is obeyed, a dumb terminal and -q are not drawn on', async ({ bench }) => {
  const holder = await bench.holder('s');
  const plain = run(bench, 80, ['s', 'true'], { NO_COLOR: '1' });
  const coloured = run(bench, 80, ['s', 'true']);
  const dumb = run(bench, 80, ['s', 'true'], { TERM: 'dumb' });
  const quiet = run(bench, 80, ['-q', 's', 'true']);
  await until('all that draw', () => [plain, coloured, dumb].every(({ stdout }) => WAITING.test(stdout) || stdout.includes('waiting for s (')));
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const colour = /\u001b\[\d+m/;
  expect([plain, coloured].map(({ stdout }) => colour.test(stdout))).toEqual([false, true]);
  holder.free();
  for (const waiter of [plain, coloured, dumb, quiet]) await waiter.ended;
  expect(dumb.stdout).toMatch(/^attempt: waiting for s \(at most 1 min\): held .*\r\n$/);
  expect(quiet.stdout).toBe('');
  await holder.ended;
});

it('Ctrl-C while waiting ends it by INT, and cleans up', async ({ bench }) => {
  const holder = await bench.holder('s');
  const waiter = run(bench, 80, ['s', 'true']);
  await until('the display', () => WAITING.test(waiter.stdout));
  waiter.type(CTRL_C);
  expect((await waiter.ended).stderr).toBe('signal 2\n');
  expect(seen(waiter).trim()).toBe('');
  holder.free();
  await holder.ended;
});

it.for(['own group', '--foreground'])('Ctrl-C while running (%s): the command hears it once, attempt ends by INT', async (how, { bench }) => {
  const script = 'trap "echo INT >> heard; exit 3" INT; echo $$ > pid; while :; do sleep 0.02; done';
  const started = run(bench, 80, [...(how === '--foreground' ? [how] : []), 's', 'sh', '-c', script]);
  await bench.line('pid');
  started.type(CTRL_C);
  expect((await started.ended).stderr).toBe('signal 2\n');
  expect(bench.read('heard')).toBe('INT\n');
});

it('the own group has no terminal, --foreground has', async ({ bench }) => {
  const ask = ['s', 'sh', '-c', '(: < /dev/tty) 2>/dev/null && echo yes || echo no'];
  const own = await run(bench, 80, ask).ended;
  const shared = await run(bench, 80, ['--foreground', ...ask]).ended;
  expect([own.stdout.trim(), shared.stdout.trim()]).toEqual(['no', 'yes']);
});

itWithJobs('Ctrl-C stops a loop typed at a shell', async ({ bench }) => {
  const shell = bench.terminal(80, 'bash', ['--norc', '--noprofile', '-i']);
  shell.type('for i in 1 2 3; do node "$ATTEMPT" run s sh -c "echo \\$\\$ > pid; exec sleep 60"; echo next >> rounds; done\n');
  await bench.line('pid');
  shell.type(CTRL_C);
  await until('the prompt again', () => shell.stdout.split('^C').length > 1);
  shell.type('echo $? > status; exit\n');
  expect(await bench.line('status')).toBe('130');
  await shell.ended;
  expect(bench.has('rounds')).toBe(false);
});

itWithJobs('Ctrl-Z and fg while waiting and while running: stopped, continued, and the screen is in order', async ({ bench }) => {
  const holder = await bench.holder('s');
  const shell = bench.terminal(80, 'bash', ['--norc', '--noprofile', '-i'], { env: { PS1: '> ' } });
  shell.type('node "$ATTEMPT" run s sh -c "echo up > up; until [ -e go ]; do sleep 0.05; done; echo mine"\n');
  await until('the display', () => WAITING.test(shell.stdout));
  shell.type(CTRL_Z);
  await until('the shell to tell', () => shell.stdout.split('Stopped').length === 2);
  expect(seen(shell)).not.toMatch(WAITING);
  shell.type('fg\n');
  await until('the display again', () => WAITING.test(seen(shell)));
  holder.free();
  await bench.line('up');
  shell.type(CTRL_Z);
  await until('the shell to tell again', () => shell.stdout.split('Stopped').length === 3);
  shell.type('touch go; fg\n');
  await until('the end', () => shell.stdout.includes('\nmine'));
  shell.type('exit\n');
  await Promise.all([shell.ended, holder.ended]);
  expect(seen(shell)).not.toMatch(WAITING);
});
