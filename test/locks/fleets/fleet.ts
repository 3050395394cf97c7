/**
 * A fleet: workers that are real processes, killed and stopped at random, on one real engine. What they told is judged.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summaryOf } from '../../../src/bench/statistics.js';
import type { EngineRecords } from '../../../src/locks/engine/record-queue.js';
import { checkHistory, type HistoryEvent } from '../../../src/testing/history.js';

const SCRIPT = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));

export interface FleetPlan {
  readonly engine: 'postgres' | 'redis';
  readonly socket: string;
  readonly workers: number;
  readonly sessions: number;
  /** Attempts at a time in each worker. */
  readonly together: number;
  /** Goes on until so many attempts have ended, and so many workers have been killed or stopped. */
  readonly attempts: number;
  readonly crashes: number;
  readonly leaseMs: number;
}

export interface FleetResult {
  readonly violations: readonly string[];
  readonly attempts: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly grants: number;
  readonly acknowledged: number;
  readonly killed: number;
  readonly stopped: number;
  readonly waitedMs: ReturnType<typeof summaryOf>;
}

interface Fact {
  readonly is?: string;
  readonly ended?: string;
  readonly lease?: string;
  readonly waitedMs?: number;
}

class Fleet {
  readonly events: HistoryEvent[] = [];
  readonly waited: number[] = [];
  readonly outcomes: Record<string, number> = {};
  readonly errors: string[] = [];
  attempts = 0;
  killed = 0;
  stopped = 0;
  readonly #plan: FleetPlan;
  readonly #workers = new Set<ChildProcess>();
  #names = 0;

  constructor(plan: FleetPlan) {
    this.#plan = plan;
  }

  start(): void {
    const { engine, socket, sessions, leaseMs, together } = this.#plan;
    const name = `worker ${this.#names += 1}`;
    const plan = JSON.stringify({ engine, socket, sessions, leaseMs, together, name });
    const child = spawn(process.execPath, ['--no-warnings', SCRIPT, plan], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#workers.add(child);
    child.stdin.on('error', () => {});
    child.stderr.on('data', (text) => this.errors.push(String(text)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.endsWith('}')) this.#heard(JSON.parse(line) as Fact); // the last line of who was killed may be cut
    });
    child.on('close', () => this.#workers.delete(child));
  }

  /** Kills a worker and starts another, or stops one for longer than its lease: then it wakes as a zombie. */
  async disturb(): Promise<void> {
    const all = [...this.#workers];
    const one = all[Math.floor(Math.random() * all.length)];
    if (one === undefined) return;
    if (Math.random() < 0.6) {
      this.killed += 1;
      one.kill('SIGKILL');
      this.start();
    } else {
      this.stopped += 1;
      one.kill('SIGSTOP');
      await pause(this.#plan.leaseMs * 1.5);
      one.kill('SIGCONT');
    }
  }

  /** Every worker ends what it has begun. */
  async end(): Promise<void> {
    for (const child of this.#workers) child.stdin?.write('end\n');
    const until = performance.now() + 60_000;
    while (this.#workers.size > 0 && performance.now() < until) await pause(10);
  }

  kill(): void {
    for (const child of this.#workers) child.kill('SIGKILL');
  }

  #heard(fact: Fact): void {
    if (fact.is !== undefined) this.events.push(fact as unknown as HistoryEvent);
    if (fact.ended === undefined) return;
    this.attempts += 1;
    const outcome = `${fact.ended}, ${fact.lease}`;
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (typeof fact.waitedMs === 'number') this.waited.push(fact.waitedMs);
  }
}

/** Runs a fleet to its end. @param records to read what is there when all is over */
export async function runFleet(plan: FleetPlan, records: EngineRecords): Promise<FleetResult> {
  const fleet = new Fleet(plan);
  try {
    for (let worker = 0; worker < plan.workers; worker += 1) fleet.start();
    for (let seen = -1; fleet.attempts < plan.attempts || fleet.killed + fleet.stopped < plan.crashes; seen = fleet.attempts) {
      const share = plan.attempts / plan.crashes; // disturbances are spread over the run
      const isTime = fleet.attempts >= share * (fleet.killed + fleet.stopped + 0.5);
      if (isTime && fleet.killed + fleet.stopped < plan.crashes) await fleet.disturb();
      else await pause(seen === fleet.attempts ? 10 : 2);
      if (fleet.errors.length > plan.workers) throw new Error(fleet.errors.join('\n'));
    }
    await fleet.end();
  } finally {
    fleet.kill();
  }
  const found = new Map<string, { token: number | null; record: string }[]>();
  for (const session of new Set(fleet.events.map((event) => event.session))) {
    const { records: all } = await records.read(session);
    found.set(session, all.map(({ record, token }) => ({ token, record: (record as { record: string }).record })));
  }
  const { attempts, outcomes, killed, stopped } = fleet;
  return { ...checkHistory(fleet.events, found, 'believed'), attempts, outcomes, killed, stopped, waitedMs: summaryOf(fleet.waited) };
}
