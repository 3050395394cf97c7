/**
 * `attempt doctor`, `attempt unlock` and `attempt status --watch`, with real processes and in a terminal.
 */
import { mkdirSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { screenOf } from './screen.js';
import { ATTEMPT, hasPty, isAlive, test, until, type Bench, type Started } from './support.js';

const it = test.concurrent;
vi.setConfig({ testTimeout: 120_000 }); // some run a dozen processes, one after another

/** A holder that has told that it runs: others see its state within half a second. */
async function running(bench: Bench, session: string, ...options: readonly string[]): Promise<Started & { free(): void }> {
  const holder = await bench.holder(session, ...options);
  for (;;) {
    const [status] = await localFileLocks().query(bench.path(session));
    if (status?.holder?.state === 'running.working') return holder;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

/** A holder whose `attempt` was killed; its command, an orphan, too. */
async function killed(bench: Bench, session: string): Promise<void> {
  const holder = await bench.holder(session);
  bench.orphans.push(Number(bench.read(`${session}.gate`)));
  holder.kill('SIGKILL');
  await holder.ended;
}

it('doctor shows a card for each session of a directory, and says by its status that something is the matter', async ({ bench }) => {
  await bench.run('run', 'done', 'sh', '-c', 'exit 3');
  const holder = await running(bench, 'held', '-t', '10m', '-l', 'job=nightly');
  expect((await bench.run('doctor', '.')).code, 'healthy and free: nothing is the matter').toBe(0);
  await killed(bench, 'dead');
  mkdirSync(bench.path('plain.lock/of-another-program'), { recursive: true });
  const { code, stdout: folded, stderr } = await bench.run('doctor', '.');
  const stdout = folded.replaceAll(/\n {4,}/g, ' ');
  expect({ code, stderr }).toEqual({ code: EXIT.matter, stderr: '' });
  expect(stdout).toMatch(/^dead: held by attempt [0-9a-f]{8}, token 1, whose process is gone: there is no process \d+$/m);
  expect(stdout).toMatch(/^ {2}before {5}token 1, attempt [0-9a-f]{8}: completed after .*, released; .* ago$/m);
  expect(stdout).toMatch(/^held: held for .* by attempt [0-9a-f]{8}, token 1 \(running\), in good health$/m);
  expect(stdout).toMatch(/^ {2}limits .*timeoutMs 10 min \(set\)/m);
  expect(stdout.split('\n').at(-2)).toBe('4 sessions: 1 dead, 1 free, 1 healthy, 1 foreign');
  const { sessions, fixes } = JSON.parse((await bench.run('doctor', '--json', '.')).stdout) as { sessions: object[]; fixes: null };
  expect({ sessions, fixes }).toMatchObject({ fixes: null, sessions: [
    { condition: 'dead' }, { condition: 'free' }, { condition: 'healthy', holder: { labels: { job: 'nightly' } } }, { condition: 'foreign' },
  ] });
  holder.free();
  await holder.ended;
  await bench.start('rm', ['-r', 'plain.lock']).ended;
  expect((await bench.run('doctor', '--fix', 'dead')).code).toBe(0);
});

it('status and doctor agree on a holder that was killed: dead, and held by nobody, within its lease and before a run takes it', async ({ bench }) => {
  await killed(bench, 's');
  await bench.run('run', 'other', 'true');
  const shown = await bench.run('status', 's');
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^s +dead +.* \d+ +[0-9a-f]{8}$/m) as string });
  expect((await bench.run('status', '-q', '.')).code).toBe(0);
  expect(JSON.parse((await bench.run('status', '--json', 's')).stdout)).toMatchObject([{ held: false, holder: { token: 1 } }]);
  expect((await bench.run('doctor', 's')).stdout).toContain('whose process is gone');
  expect((await bench.run('run', '-n', 's', 'true')).code).toBe(0);
});

it('doctor --fix gives the lock of a dead holder back at once, says so, and is "ineffective" when there is nothing to do', async ({ bench }) => {
  await killed(bench, 's');
  const fixed = await bench.run('doctor', '--fix', 's');
  expect(fixed).toMatchObject({ code: 0, stderr: '' });
  expect(fixed.stdout).toMatch(/^fixed: .*s\.lock: gave back the lock of attempt [0-9a-f]{8} \(token 1\), whose process is gone\n/);
  expect(await bench.run('run', '-n', 's', 'sh', '-c', 'echo $ATTEMPT_TOKEN')).toMatchObject({ code: 0, stdout: '2\n' });
  expect((await bench.run('doctor', '--fix', 's')).stdout).toMatch(/^ineffective: nothing is proved to be dead, nothing was changed\n/);
  expect(JSON.parse((await bench.run('doctor', '--fix', '--json', 's')).stdout)).toMatchObject({ fixes: [], effective: false });
});

it('doctor says that a stopped holder is asleep, and how to wake it', async ({ bench }) => {
  const holder = await bench.holder('s');
  holder.kill('SIGSTOP');
  const { stdout } = await bench.run('doctor', 's');
  expect(stdout).toMatch(/^ {2}holder {5}asleep: process \d+ lives/m);
  expect(stdout).toContain(`$ kill -CONT ${holder.pid}\n`);
  holder.kill('SIGCONT');
  holder.free();
  expect((await holder.ended).code).toBe(0);
});

it('S7: unlock refuses a live holder without --force and a token that is not its own; with both, the holder is ended: 116', async ({ bench }) => {
  const holder = await running(bench, 's');
  const command = Number(bench.read('s.gate'));
  const refused = await bench.run('unlock', '--token', '1', 's');
  expect(refused).toMatchObject({ code: EXIT.busy, stdout: '' });
  expect(refused.stderr)
    .toMatch(/refused, nothing was changed: it is held .*\nIf it is taken away, its holder learns .*\n.*unlock --force --token 1 s\n$/);
  const other = await bench.run('unlock', '--force', '--token', '7', 's');
  expect(other).toMatchObject({ code: EXIT.matter, stderr: expect.stringContaining('token 7 does not hold it') as string });
  expect(isAlive(command)).toBe(true);
  expect((await bench.run('unlock', '--force', '--token', '1', 's')).stdout).toMatch(/^attempt: s: taken away from attempt [0-9a-f]{8} \(token 1\)/);
  expect((await bench.run('run', '-n', 's', 'true')).code, 'free at once').toBe(0);
  expect((await holder.ended).code).toBe(EXIT.leaseLost);
  expect(isAlive(command)).toBe(false);
  expect((await bench.run('doctor', 's')).stdout).toMatch(/token 1, attempt [0-9a-f]{8}: aborted by leaseLost\s.*lost;\s/s);
});

it('unlock needs no --force for a dead holder; for a free session, a foreign lock and a wrong token it changes nothing', async ({ bench }) => {
  await killed(bench, 's');
  const { code, stdout } = await bench.run('unlock', '--json', '--token', '1', 's');
  expect({ code, ...JSON.parse(stdout) as object }).toMatchObject({ code: 0, result: 'unlocked', before: { condition: 'dead' } });
  const again = await bench.run('unlock', '--token', '1', 's');
  expect(again).toMatchObject({ code: EXIT.matter, stderr: expect.stringContaining('nobody holds it') as string });
  mkdirSync(bench.path('plain.lock'));
  const foreign = await bench.run('unlock', '--force', '--token', '1', 'plain');
  expect(foreign).toMatchObject({ code: EXIT.matter, stderr: expect.stringContaining('not one of our locks, and stays') as string });
  expect(bench.has('plain.lock')).toBe(true);
  await bench.start('rmdir', ['plain.lock']).ended;
  for (const args of [['s'], ['--token', '1.5', 's']]) {
    expect((await bench.run('unlock', ...args)).code, args.join(' ')).toBe(EXIT.failed);
  }
});

it('status --watch, piped, adds a line for each change, and ends by a signal', async ({ bench }) => {
  const watch = bench.attempt(['status', '--watch', 's']);
  await until('the free session', () => /^\S+Z {2}s: free\n/.test(watch.stdout));
  const holder = await bench.holder('s');
  await until('its holder', () => /s: held for .* by attempt [0-9a-f]{8}, token 1 \(running\), in good health\n/.test(watch.stdout));
  const waiter = bench.attempt(['run', '-q', 's', 'true']);
  await until('its waiter', () => watch.stdout.includes('; 1 waiting\n'));
  holder.free();
  await until('free again', () => /free\n.*free\n$/s.test(watch.stdout));
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  expect((await waiter.ended).code).toBe(0);
  await holder.ended;
});

const inTerminal = hasPty ? test.concurrent : (test.skip as typeof test.concurrent);

inTerminal.for([80, 100])('status --watch at %i columns draws over its last card, never wraps, ends by Ctrl-C', async (columns, { bench }) => {
  const holder = await running(bench, 's', '-l', `about=${'x'.repeat(200)}`);
  const watch = bench.terminal(columns, process.execPath, [ATTEMPT, 'status', '--watch', 's']);
  const screen = (): string[] => screenOf(watch.stdout, columns);
  const card = /^s: held for .* token 1 \(running\), in good\s+health$/m;
  // What has arrived may be half of a drawing: its last line is the next step.
  const isWhole = (lines: readonly string[]): boolean => card.test(lines.join('\n')) && lines.some((line) => line.startsWith('  next'));
  await until('a third drawing', () => watch.stdout.split('s: held for').length > 3 && isWhole(screen()));
  const lines = screen();
  expect(lines.join('\n')).toMatch(card);
  expect(lines.join('\n').split('s: held for')).toHaveLength(2);
  expect(lines.filter((line) => line.length >= columns)).toEqual([]);
  expect(lines.find((line) => line.startsWith('  about'))).toMatch(/x\u2026$/);
  holder.free();
  await until('the free session', () => screen().join('\n').startsWith('s: free\n  free       now: nobody holds it\n'));
  watch.type('\u0003');
  expect((await watch.ended).stderr).toBe('signal 2\n');
  await holder.ended;
});
