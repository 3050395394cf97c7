/**
 * What attempts weigh that only live: heap per attempt, and the processor's share of many held leases.
 * Runs as a process of its own: `weight.js heap|cpu`, and says the number.
 */
import { execFileSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import lockfile from 'proper-lockfile';
import { createAttempt, localFileLocks, memoryLocks, type HolderInfo } from '../index.js';

const HELD = 10_000;
const LIVE = 2_000;
/** Long enough for three renewals of every lease. */
const WATCHED_MS = 10_000;

export type Weighed = 'heap-memory' | 'heap-files' | 'cpu-ours' | 'cpu-proper-lockfile';

/** @returns bytes a live attempt, or the share of one core, 0 to 1 */
export const weigh = (what: Weighed): number =>
  Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), what], { encoding: 'utf8' }));

async function heap(directory: string, kind: 'memory' | 'files'): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = async (): Promise<number> => {
    await pause(50);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const locks = kind === 'memory' ? memoryLocks() : localFileLocks();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  /** Settles when its work has started. */
  const start = (n: number): Promise<{ done: Promise<unknown> }> => new Promise((started) => {
    const attempt = createAttempt({
      session: join(directory, `${n}`), locks, ...(kind === 'memory' && { records: 'none' as const }),
      work: () => new Promise<void>((end) => {
        stop.signal.addEventListener('abort', () => end());
        started({ done: attempt.done });
      }),
    });
    void attempt.start();
  });
  const live = (from: number, count: number) => Promise.all(Array.from({ length: count }, (_, n) => start(from + n)));
  const warm = await live(0, 100);
  const before = await used();
  const all = await live(100, LIVE);
  const after = await used();
  stop.abort();
  await Promise.all([...warm, ...all].map(({ done }) => done));
  return (after - before) / LIVE;
}

async function cpu(directory: string, kind: 'ours' | 'proper-lockfile'): Promise<number> {
  const locks = localFileLocks();
  const info: HolderInfo = { attemptId: 'b', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} };
  for (let n = 0; n < HELD; n += 1) {
    const session = join(directory, `${n}`);
    if (kind === 'ours') {
      await locks.acquire({ session, owner: `${n}`, waitMs: 0, signal: new AbortController().signal, info });
    } else {
      writeFileSync(session, '');
      await lockfile.lock(session, { onCompromised: () => {} });
    }
  }
  await pause(1_000);
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await pause(WATCHED_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / (performance.now() - startedAt);
}

async function main(what: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'attempt-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const [section, kind] = [what.slice(0, what.indexOf('-')), what.slice(what.indexOf('-') + 1)];
  const number = section === 'heap'
    ? await heap(directory, kind as 'memory' | 'files') : await cpu(directory, kind as 'ours' | 'proper-lockfile');
  process.stdout.write(`${number}\n`, () => process.exit());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2] ?? '');
