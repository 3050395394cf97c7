/**
 * Who is one owner and who is not; what wakes those who wait; and that nothing is left of a thousand locks.
 */
import { cpSync, existsSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { CountingClock, watchers } from '../../support/counting-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ask, granted } from './attempt.js';
import { contender, contenders, newSession } from './contender.js';

const watching = vi.hoisted(() => ({ fails: false }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const watch = (...args: Parameters<typeof real.watch>) => {
    if (watching.fails) throw Object.assign(new Error('ENOSPC: too many watches'), { code: 'ENOSPC' });
    return real.watch(...args);
  };
  return { ...real, watch, default: { ...real, watch } };
});

const built = fileURLToPath(new URL('../../../dist', import.meta.url));

const IN_THREAD = `
  const { workerData, parentPort } = require('node:worker_threads');
  import(workerData.module).then(async ({ localFileLocks }) => {
    const answer = await localFileLocks().acquire({
      session: workerData.session, owner: 'thread', waitMs: 0, signal: new AbortController().signal,
      info: { attemptId: 'thread', pid: process.pid, host: 'here', state: 'running.working', note: null, labels: {} },
    });
    parentPort.postMessage({ status: answer.status, sameProcess: answer.holder?.sameProcess ?? null });
    parentPort.once('message', () => process.exit());
  });`;

test('M13 S2: a worker thread is another owner, and what it held is free when it has ended', async () => {
  const session = newSession();
  const module = new URL('../../../dist/src/locks/file/local-file-locks.js', import.meta.url).href;
  const thread = () => new Worker(IN_THREAD, { eval: true, workerData: { module, session } });
  const answered = (worker: Worker) => new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });

  const lease = await granted(localFileLocks(), session);
  const refused = thread();
  expect(await answered(refused)).toEqual({ status: 'busy', sameProcess: false });
  await refused.terminate();
  await lease.release();

  const holds = thread();
  expect(await answered(holds)).toMatchObject({ status: 'granted' });
  const answer = await ask(localFileLocks(), session);
  expect(answer).toMatchObject({ status: 'busy', holder: { attemptId: 'thread', sameProcess: false } });
  const ended = new Promise((resolve) => { holds.once('exit', resolve); });
  holds.postMessage('exit');
  await ended;
  expect(existsSync(`${session}.lock`)).toBe(false);
});

test('S2: two copies of the package in one process are two owners', async () => {
  const home = temporaryDirectory();
  const copy = join(home, 'copy');
  cpSync(built, join(copy, 'dist'), { recursive: true });
  cpSync(join(built, '..', 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(built, '..', 'node_modules'), join(copy, 'node_modules'));
  const other = await import(join(copy, 'dist', 'src', 'index.js')) as { localFileLocks: typeof localFileLocks };
  const session = join(home, 'session');
  const [ours, theirs] = [localFileLocks(), other.localFileLocks()];
  const lease = await granted(theirs, session);
  expect(await ask(ours, session)).toMatchObject({ status: 'busy', holder: { sameProcess: false } });
  expect(await ours.releaseOwner(session, 'nobody')).toBe('notHeld');
  expect(await lease.release()).toBe('released');
  await (await granted(ours, session)).release();
});

test('S2 S7: two stores of one process keep each other out, and releaseOwner finds the lock of either', async () => {
  const session = newSession();
  const lease = await granted(localFileLocks(), session);
  const other = localFileLocks();
  expect(await ask(other, session)).toMatchObject({ status: 'busy' });
  expect(await other.releaseOwner(session, 'somebody else')).toBe('notHeld');
  expect(await other.releaseOwner(session, lease.owner)).toBe('released');
  expect(await lease.release()).toBe('notHeld');
});

test('M20: handed over to a waiting process, woken by the watch', async () => {
  const [holds, waits] = await contenders(2);
  const took: number[] = [];
  const session = newSession();
  for (let round = 0; round < 20; round += 1) {
    await holds.asks('acquire', { session });
    const waiting = waits.asks('acquire', { session, waitMs: 30_000 });
    for (;;) {
      const { status } = await holds.asks('query', { session }) as { status: { waiting: unknown[] }[] };
      if (status[0]?.waiting.length === 1) break;
    }
    const { releasedAt } = await holds.asks('release', { session }) as { releasedAt: number };
    const { at } = await waiting as { at: number };
    took.push(at - releasedAt);
    await waits.asks('release', { session });
  }
  took.sort((a, b) => a - b);
  console.info(`measured: hand-over to a waiting process, ms: p50 ${took[10]}, max ${took.at(-1)}`);
}, 120_000);

test('L3: polls where nothing can be watched', async () => {
  const session = newSession();
  const holds = await contender();
  await holds.asks('acquire', { session });
  watching.fails = true;
  try {
    const waiting = ask(localFileLocks(), session, { waitMs: 10_000 });
    await vi.waitFor(async () => expect((await localFileLocks().query(session))[0]?.waiting).toHaveLength(1));
    await holds.asks('release', { session });
    const answer = await waiting;
    expect(answer.status).toBe('granted');
    if (answer.status === 'granted') await answer.lease.release();
  } finally {
    watching.fails = false;
  }
});

test('L5: a thousand locks leave no listener, timer, watcher, descriptor or file', async () => {
  const session = newSession();
  const clock = new CountingClock();
  const locks = localFileLocks({ clock });
  await (await granted(locks, session)).release(); // proper-lockfile puts its own exit hooks on the process once
  const listeners = () => process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`).join();
  const descriptors = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
  const [listenersBefore, descriptorsBefore] = [listeners(), descriptors()];
  const signal = new AbortController().signal;
  for (let round = 0; round < 1_000; round += 1) {
    const owner = `owner-${round}`;
    const answer = await locks.acquire({
      session, owner, waitMs: 1_000, signal,
      info: { attemptId: owner, pid: 1, host: 'h', state: 'running.working', note: null, labels: {} },
    });
    if (answer.status !== 'granted') expect.fail(`round ${round}: ${answer.status}`);
    if (round % 2 === 0) await answer.lease.release();
    else await locks.releaseOwner(session, owner);
  }
  expect([listeners(), descriptors(), clock.armed, watchers()]).toEqual([listenersBefore, descriptorsBefore, 0, 0]);
  expect(readdirSync(dirname(session))).toEqual(['session.jsonl.attempt']);
  expect(readdirSync(`${session}.attempt`)).toHaveLength(3);
});
