/**
 * What the tests of the command share: a directory, real processes in it, facts to wait for, and the check that
 * nothing is left afterwards: no process, no lock, no temp file.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test as base, vi } from 'vitest';

/** Real processes on a machine that may have other work; nothing here is meant to take long. */
vi.setConfig({ testTimeout: 30_000 });

export const ATTEMPT = fileURLToPath(new URL('../../dist/bin/attempt.cjs', import.meta.url));
const TERMINAL = fileURLToPath(new URL('./fixtures/terminal.py', import.meta.url));

const there = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

/** A real terminal needs a driver: Python has one. */
export const hasPty = process.platform !== 'win32' && there('python3', '-c', 'import pty');
export const hasBash = there('bash', '--version');
if (!hasPty) console.warn('SKIPPED: the tests in a real terminal need python3');
if (!hasBash) console.warn('SKIPPED: the tests of job control need bash');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of a test, what it has said so far, and its end. */
export class Started {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { this.stdout += text; });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text; });
    child.stdin?.on('error', () => {}); // who does not read its input may end before it is written
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }
}

/** Waits for a fact. The limit is only there to fail with a name instead of hanging. */
export async function until<T>(what: string, fact: () => T | undefined | null | false, limitMs = 50_000): Promise<T> {
  for (const begun = Date.now(); ;) {
    const found = fact();
    if (found) return found;
    if (Date.now() - begun > limitMs) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

/** The state letter of a process: R, S, T (stopped), Z; null if it is gone. */
export function stateOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? null;
  } catch {
    return null;
  }
}

/** Stopped. In D: its child was stopped between vfork and exec, and it waits for that exec (a shell does, one in ten). */
export const isStopped = (pid: number): boolean => ['T', 'D'].includes(stateOf(pid) ?? '');

export const isAlive = (pid: number): boolean => !['Z', 'X', null].includes(stateOf(pid));

export interface StartOptions {
  readonly stdio?: StdioOptions;
  readonly env?: NodeJS.ProcessEnv;
}

export class Bench {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-cli-')));
  readonly #mark = randomUUID();
  readonly #started: Started[] = [];
  /** Pids that the test expects to outlive their attempt: ended here, and not taken for leftovers. */
  readonly orphans: number[] = [];

  path(name: string): string {
    return join(this.dir, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  entries(name: string): string[] {
    return readdirSync(this.path(name));
  }

  /** Waits until a file is there and holds at least one line; gives that line. */
  line(name: string): Promise<string> {
    return until(`a line in ${name}`, () => (this.has(name) ? /^(.*)\n/.exec(this.read(name))?.[1] : null));
  }

  start(command: string, args: readonly string[], { stdio = 'pipe', env = {} }: StartOptions = {}): Started {
    const child = spawn(command, args, {
      cwd: this.dir, stdio,
      env: { ...environment(), TEST_MARK: this.#mark, ATTEMPT, PATH: `${process.env['PATH']}`, ...env },
    });
    const started = new Started(child);
    this.#started.push(started);
    return started;
  }

  attempt(args: readonly string[], options?: StartOptions): Started {
    return this.start(process.execPath, [ATTEMPT, ...args], options);
  }

  /** `attempt run`, with its standard input at an end, to its end. */
  run(...args: readonly string[]): Promise<Ended> {
    const started = this.attempt(args);
    started.child.stdin?.end();
    return started.ended;
  }

  /** In a terminal of so many columns. Its output is the terminal's; `stderr` tells the end: "exit 0", "signal 2". */
  terminal(columns: number, command: string, args: readonly string[], options?: StartOptions): Started {
    return this.start('python3', [TERMINAL, String(columns), '24', command, ...args], options);
  }

  /** Holds a session until `free()` is called. */
  async holder(session: string, ...options: readonly string[]): Promise<Started & { free(): void }> {
    const gate = `${session}.gate`;
    const started = this.attempt(['run', ...options, session, '--', 'sh', '-c', `echo $$ > ${gate}; exec cat`]);
    await this.line(gate);
    return Object.assign(started, { free: () => void started.child.stdin?.end() });
  }

  /** Processes of this test that still live, however far they have gone from us. */
  living(): number[] {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
      try {
        return isAlive(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(this.#mark);
      } catch {
        return false; // ended while we looked
      }
    });
  }

  /** What is left on disk that should not be: locks, staged directories, waiters. Tokens stay on purpose. */
  litter(): string[] {
    return readdirSync(this.dir, { recursive: true, encoding: 'utf8' }).filter((name) => {
      if (/\.attempt\/(token\.(\d+|first)|boot\.[^/]+|reports)$/.test(name)) return false;
      return name.endsWith('.lock') || (name.includes('.attempt/') && !statSync(this.path(name)).isDirectory())
        || /(new|staged)\.[^/]*$/.test(name);
    });
  }

  async end(): Promise<void> {
    for (const pid of this.orphans) killGroup(pid);
    await until('the expected orphans to be gone', () => this.orphans.every((pid) => !isAlive(pid)));
    const left = { processes: this.living(), files: this.litter() };
    for (const { child } of this.#started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    for (const pid of left.processes) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
    expect(left, 'left behind').toEqual({ processes: [], files: [] });
  }
}

/** An orphan leads a group of its own, or is a job in one that has no leader any more. */
function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch { /* there is no such group, or it has ended by itself */ }
  }
}

/** Ours without what would change what is tested. */
function environment(): NodeJS.ProcessEnv {
  const {
    CI: _ci, NO_COLOR: _no, FORCE_COLOR: _force, ATTEMPT_ID: _id, ATTEMPT_OUTER: _outer, ATTEMPT_OUTER_STORES: _stores, NODE_OPTIONS: _options, ...env
  } = process.env;
  return { ...env, TERM: 'xterm-256color' };
}

/**
 * A test with a bench of its own, after which nothing may be left. `test.concurrent`: most of the time of these tests
 * is waiting for processes.
 */
export const test = base.extend<{ bench: Bench }>({
  bench: [async ({}, use) => { // eslint-disable-line no-empty-pattern -- how vitest's fixtures are written
    const bench = new Bench();
    await use(bench);
    await bench.end();
  }, { scope: 'test' }],
});
