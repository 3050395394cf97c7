/**
 * Pids that mean something else than they seem to: the number of a process in another pid namespace, the number of a
 * dead process that the kernel has given to another one. A holder is dead only where that is proved (S7, L3).
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi, type TestContext } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';
import { canRun } from './stepping-clock.js';
import { Told, type ToldChild } from './told-child.js';

vi.setConfig({ testTimeout: 60_000 });

const MOST_MS = 25_000;
/** Long enough that nothing here is granted because a lease has ended. */
const LEASE_MS = 30_000;
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));
const ALONE = ['--pid', '--fork', '--kill-child', '--mount-proc'];

function start({ onTestFinished }: TestContext, command: string, args: readonly string[]): ToldChild {
  const told = new Told(command, args, { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  onTestFinished(async () => void await told.kill());
  return told;
}

/** What the lock says of who holds it. */
function holderOf(session: string): Record<string, unknown> {
  const [entry = ''] = readdirSync(`${session}.lock`);
  return JSON.parse(readFileSync(join(`${session}.lock`, entry), 'utf8')) as Record<string, unknown>;
}

/** A number that no process here has, and that none will get while we run: behind those that come next. */
function freePid(): number {
  const most = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
  const last = Number(readFileSync('/proc/sys/kernel/ns_last_pid', 'utf8'));
  for (let pid = ((last + most / 2) % (most - 1_000)) + 500 | 0; ; pid += 1) if (!existsSync(`/proc/${pid}`)) return pid;
}

/** Pids can be given out by hand in a pid namespace of one's own. */
const canChoosePids = (skip: TestContext['skip']): void =>
  canRun('unshare', [...ALONE, 'sh', '-c', 'echo 99 > /proc/sys/kernel/ns_last_pid'], skip);

test.for<[string, () => number]>([
  ['of a process that lives here', () => process.pid],
  ['that no process here has', freePid],
])('S7 L3: a holder in another pid namespace with the number %s is not called dead, nor when it is', async ([, choose], context) => {
  canChoosePids(context.skip);
  const session = join(temporaryDirectory(context.onTestFinished), 's');
  const pid = choose();
  const rival = start(context, process.execPath, [fixture('rival')]);
  const oneTry = async (name: string) => {
    rival.send({ session, name, leaseMs: LEASE_MS, waitMs: 0 });
    return (await rival.says((fact) => fact.report !== undefined && fact['name'] === name, MOST_MS))?.report;
  };
  const first = start(context, 'unshare', [
    ...ALONE, 'sh', '-c', `echo ${pid - 1} > /proc/sys/kernel/ns_last_pid; "$@"; exit`, 'sh', process.execPath, fixture('rival'),
  ]);
  first.send({ session, name: 'first', leaseMs: LEASE_MS, waitMs: 0, holdUntilTold: true });
  expect(await first.says((fact) => fact['is'] === 'written', MOST_MS)).not.toBeNull();
  expect(holderOf(session)).toMatchObject({ pid });
  expect(holderOf(session)['pidNamespace']).not.toBe(readlinkSync('/proc/self/ns/pid'));
  expect(await oneTry('while it lives')).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
  first.send({ die: true }); // by its own hand: whoever ends unshare closes its stdin too, and it might end in good order
  await first.ended;
  // Nobody here can know: it ends with its lease (with a short one in clocks.test.ts).
  expect(await oneTry('when it is dead')).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
});

test('S7 L3: a dead holder whose pid another process has got is dead before its lease ends; a stopped one with its own is not', async (context) => {
  canChoosePids(context.skip);
  const session = join(temporaryDirectory(context.onTestFinished), 's');
  const told = start(context, 'unshare', [...ALONE, process.execPath, fixture('reuse'), JSON.stringify({ session, leaseMs: LEASE_MS })]);
  const tried = async (name: string) => (await told.says((fact) => fact['name'] === name, MOST_MS))?.report;
  expect(await tried('while it is stopped')).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
  const { reused, sameStart } = (await told.says((fact) => fact['reused'] !== undefined, MOST_MS)) ?? {};
  expect({ reused, sameStart }).toEqual({ reused: true, sameStart: false });
  expect(await tried('when its pid is another one\'s')).toMatchObject({ outcome: 'completed', lease: 'released', token: 2 });
});
