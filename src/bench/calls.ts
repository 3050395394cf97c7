/**
 * The system calls of one attempt, of its lock alone and of bare proper-lockfile, counted by strace: what bounds the times.
 * Owns: that a call is counted for one more run, so that what a process does to start and to end is not.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE = fileURLToPath(new URL('./calls-process.js', import.meta.url));
const [FEW, MANY] = [50, 150];

/** Calls of one run, by name, most first: on files (`%file`, `%desc`), and between threads (`futex`). */
export type Calls = Readonly<Record<string, number>>;

const COUNTING = ['-f', '-qq', '-c', '-U', 'calls,name', '-e', 'trace=%file,%desc,futex', '-e', 'signal=none'];

const traced = (args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync('strace', [...COUNTING, ...args], { encoding: 'utf8' });

export const canCount = (): boolean => traced(['-o', '/dev/null', 'true']).status === 0;

function counted(name: string, times: number): Map<string, number> {
  const log = join(tmpdir(), `attempt-calls.${process.pid}`);
  try {
    const { status, stderr } = traced(['-o', log, process.execPath, NODE, name, String(times)]);
    if (status !== 0) throw new Error(`counting the calls of ${name} failed: ${String(stderr)}`);
    const rows = readFileSync(log, 'utf8').matchAll(/^\s*(\d+)\s+(\w+)$/gm);
    return new Map([...rows].map(([, count, call]) => [call as string, Number(count)]));
  } finally {
    rmSync(log, { force: true });
  }
}

/** @returns the calls of one run of that case, rounded to a tenth; those that come less than once in ten runs are left out */
export function callsOf(name: string): Calls {
  const [few, many] = [counted(name, FEW), counted(name, MANY)];
  const each = [...many].map(([call, count]) => [call, Math.round((count - (few.get(call) ?? 0)) / (MANY - FEW) * 10) / 10] as const);
  return Object.fromEntries(each.filter(([call, count]) => count > 0.1 && call !== 'total').sort(([, a], [, b]) => b - a));
}
