/**
 * What it costs to start a command under a lock: `attempt run s -- true` beside bare Node and flock(1), interleaved, so
 * that whatever else the machine does hits all of them alike. Only the ratios mean something.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface StartUpRow {
  readonly name: string;
  /** Median wall time of one run, milliseconds. */
  readonly medianMs: number;
  /** The fastest run, milliseconds: the least disturbed one. */
  readonly bestMs: number;
  /** Median against the median of `node -e 0`. */
  readonly ratio: number;
}

export interface StartUpOptions {
  /** Runs of each command. Default: 30. */
  readonly rounds?: number;
  /** The command's file. Default: this build's. */
  readonly attempt?: string;
}

const ATTEMPT = fileURLToPath(new URL('../../bin/attempt.cjs', import.meta.url));
const BARE = 'node -e 0';

type Candidate = readonly [name: string, command: string, args: readonly string[]];

/** One run, in milliseconds; null where the command is not there (flock on macOS). */
function time([, command, args]: Candidate, cwd: string): number | null {
  const begun = performance.now();
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'ignore' });
  const ms = performance.now() - begun;
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return null;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return ms;
}

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? NaN;

/**
 * Measures. Takes about half a second per round.
 * @returns one row per command, bare Node first; commands that are not installed are left out
 */
export async function startUp({ rounds = 30, attempt = ATTEMPT }: StartUpOptions = {}): Promise<readonly StartUpRow[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'attempt-bench-'));
  const script = join(cwd, 'spawn.mjs');
  writeFileSync(script, 'import { spawn } from "node:child_process"; spawn("true", { stdio: "inherit" });');
  const candidates: readonly Candidate[] = [
    [BARE, process.execPath, ['-e', '0']],
    ['node, a module that spawns true', process.execPath, [script]],
    ['attempt --version', process.execPath, [attempt, '--version']],
    ['attempt run s -- true', process.execPath, [attempt, 'run', 's', '--', 'true']],
    ['flock s true', 'flock', ['s.flock', 'true']],
  ];
  const times = candidates.map((): number[] => []);
  try {
    for (let round = -1; round < rounds; round += 1) { // the first one warms the disk's cache
      for (const [n, candidate] of candidates.entries()) {
        const ms = time(candidate, cwd);
        if (ms !== null && round >= 0) times[n]?.push(ms);
      }
    }
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  const sorted = times.map((one) => one.sort((a, b) => a - b));
  const bare = median(sorted[0] ?? []);
  return candidates.flatMap(([name], n) => {
    const one = sorted[n] ?? [];
    return one.length === 0 ? [] : [{ name, medianMs: median(one), bestMs: one[0] ?? NaN, ratio: median(one) / bare }];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  void startUp({ rounds: Number(process.argv[2] ?? 30) }).then((rows) => {
    for (const { name, medianMs, bestMs, ratio } of rows) {
      const numbers = [medianMs.toFixed(1), bestMs.toFixed(1), `${ratio.toFixed(2)}x`];
      process.stdout.write(`${name.padEnd(34)}${numbers.map((number) => number.padStart(10)).join('')}\n`);
    }
  });
}
