/**
 * Child processes of a test: started from a script, spoken to in lines of JSON, waited for by what they say.
 * Only processes started here are ended, by their own handle, and all of them when the test is over.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Cleanup } from './temporary.js';

/** What a child says: one JSON object a line. */
export type Fact = Record<string, unknown>;

/** Longest time a fact may take, milliseconds. Never reached when all is well. */
const MOST_MS = 60_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly uid?: number;
  readonly cleanup?: Cleanup;
}

export class Child {
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #facts: Fact[] = [];
  readonly #waiting = new Set<() => void>();
  #asked = 0;
  #errors = '';

  /** @param command a script to run with this Node, and its arguments */
  constructor(script: string, args: readonly string[] = [], options: ChildOptions = {}) {
    const { cleanup = onTestFinished, ...how } = options;
    const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'], ...how });
    this.#process = child;
    this.ended = new Promise((resolve) => { child.on('exit', (code, signal) => resolve({ code, signal })); });
    void this.ended.then(() => this.#changed());
    child.stdin?.on('error', () => {}); // it has ended; whoever waits for it is told so
    child.stderr?.on('data', (text) => { this.#errors += text; });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.#facts.push(line.startsWith('{') ? JSON.parse(line) as Fact : { line });
      this.#changed();
    });
    cleanup(async () => {
      this.signal('SIGKILL');
      await this.ended;
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Waits for a fact, also one said before. */
  async says(what: string, is: (fact: Fact) => boolean): Promise<Fact> {
    const found = (): Fact | undefined => this.#facts.find(is);
    const until = performance.now() + MOST_MS;
    while (!found()) {
      const over = this.#process.exitCode !== null || this.#process.signalCode !== null;
      if (over || performance.now() > until) {
        throw new Error(`expected ${what}; said: ${JSON.stringify(this.#facts)}\n${this.#errors}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, until - performance.now()));
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return found() as Fact;
  }

  /** Sends a command without waiting. @returns what it will answer */
  asks(command: string, args: Fact = {}): Promise<Fact> {
    const id = (this.#asked += 1);
    this.#process.stdin?.write(`${JSON.stringify({ id, command, ...args })}\n`);
    return this.says(`an answer to ${command}`, (fact) => fact['id'] === id);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
