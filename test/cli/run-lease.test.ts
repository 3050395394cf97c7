/**
 * What takes as long as a lease (10 s): a killed attempt, a stopped one, with and without a rival. Side by side.
 */
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { isAlive, isStopped, test, until, type Bench } from './support.js';

const it = test.concurrent;
const LOOPING = 'echo $$ > pid; trap "exit 0" TERM; until [ -e go ]; do sleep 0.05; done; echo went on';

async function start(bench: Bench) {
  const started = bench.attempt(['run', '-v', 's', 'sh', '-c', LOOPING]);
  return Object.assign(started, { command: Number(await bench.line('pid')) });
}

it('kill -9 of attempt: its command lives on, the lock is taken over, at once where its death can be proved', async ({ bench }) => {
  const killed = await start(bench);
  bench.orphans.push(killed.command);
  killed.kill('SIGKILL');
  const next = await bench.run('run', '-q', 's', 'sh', '-c', 'echo "$ATTEMPT_TOKEN"');
  expect(next).toMatchObject({ code: 0, stdout: '2\n' });
  expect(isAlive(killed.command), 'documented: nobody is there to end it').toBe(true);
}, 60_000);

it('kill -9 of attempt: its orphan may write until the takeover, and is refused after it', async ({ bench }) => {
  const append = 'echo "{\\"n\\":$1}" | node "$ATTEMPT" append; echo $? > rc.$1';
  const script = `write() { ${append}; }; echo $$ > pid; write 1; until [ -e taken ]; do sleep 0.05; done; write 2`;
  const killed = bench.attempt(['run', 's', 'sh', '-c', script]);
  bench.orphans.push(Number(await bench.line('pid')));
  expect(await bench.line('rc.1')).toBe('0');
  killed.kill('SIGKILL');
  expect((await bench.run('run', '-q', '-c', 'echo "{\\"n\\":3}" | node "$ATTEMPT" append; touch taken', 's')).code).toBe(0);
  expect(await bench.line('rc.2')).toBe(String(EXIT.leaseLost));
  expect(bench.read('s').split('\n').filter(Boolean).map((line) => JSON.parse(line))).toEqual([
    { $attempt: 1, n: 1 }, { $attempt: 2, n: 3 },
  ]);
}, 60_000);

it('stopped for longer than the lease without a rival: it comes into doubt, is revived, and ends well', async ({ bench }) => {
  const stopped = await start(bench);
  stopped.kill('SIGTSTP');
  await until('the lease to end', () => leaseEnd(bench) < Date.now() - 200);
  expect((await bench.run('status', 's')).stdout).toMatch(/^s +expired /m);
  stopped.kill('SIGCONT');
  await bench.start('touch', ['go']).ended;
  expect(await stopped.ended).toMatchObject({ code: 0, stdout: 'went on\n' });
}, 60_000);

it('stopped for longer than the lease with a rival: it finds the lock lost, ends its command: 116', async ({ bench }) => {
  const stopped = await start(bench);
  stopped.kill('SIGTSTP');
  await until('both stopped', () => isStopped(stopped.pid) && isStopped(stopped.command));
  const rival = bench.attempt(['run', '-q', 's', 'sh', '-c', 'echo up > rival; cat']);
  await bench.line('rival');
  stopped.kill('SIGCONT');
  const { code, stdout, stderr } = await stopped.ended;
  expect({ code, stdout }).toEqual({ code: EXIT.leaseLost, stdout: '' });
  expect(stderr).toMatch(/attempt: s: the lock was lost while the attempt ran: .*taken it over/);
  expect((await bench.run('status', '-q', 's')).code, 'the rival still holds it').toBe(EXIT.busy);
  rival.child.stdin?.end();
  expect((await rival.ended).code).toBe(0);
}, 60_000);

it('ended by a signal while one waits that is stopped: what it leaves open for that one it takes away', async ({ bench }) => {
  const holder = await start(bench);
  const waiter = bench.attempt(['run', '-q', 's', 'true']);
  const waits = (): boolean => bench.entries('s.attempt').some((name) => name.startsWith('wait.'));
  await until('one to wait', waits);
  waiter.kill('SIGSTOP');
  await until('it to be stopped', () => isStopped(waiter.pid));
  holder.kill('SIGTERM');
  expect((await holder.ended).signal).toBe('SIGTERM');
  expect([waits(), bench.entries('.').includes('s.lock')]).toEqual([true, false]);
  waiter.kill('SIGCONT');
  expect((await waiter.ended).code).toBe(0);
}, 60_000);

function leaseEnd(bench: Bench): number {
  const [owner = ''] = bench.entries('s.lock');
  return Number(owner.split('.')[2] ?? Infinity);
}
