/**
 * What a yield window costs, beside the release and the acquire it is made of; and how soon somebody who waits, in this
 * process or in another, has the lock once a window is opened. Run by itself it prints that; forked by itself it is the
 * other process.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAttempt, fileRecords, localFileLocks, runAttempt, type HolderInfo, type LockStore, type WorkContext } from '../index.js';
import { interleaved, type Case, type Samples } from './interleaved.js';
import { summaryOf } from './statistics.js';

const SELF = fileURLToPath(import.meta.url);
const NEVER = new AbortController().signal;

/** On the clock that all processes of this machine share, milliseconds. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const ATTEMPT = 'attempt';
const YIELDING = 'attempt, one window';
const BARE = 'acquire, open, close, release';
const TWO = 'two attempts';

export interface Yielding {
  /** Microseconds by case, one of each a round. */
  readonly costs: Samples;
  /** Milliseconds from opening a window to the grant of whoever waits. */
  readonly inProcess: readonly number[];
  readonly otherProcess: readonly number[];
}

const info: HolderInfo = { attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} };

function casesIn(directory: string): readonly Case[] {
  const [locks, records] = [localFileLocks(), fileRecords()];
  const sessionFor = (name: string): string => {
    const session = join(directory, `${name}.jsonl`);
    writeFileSync(session, '{"role":"user","text":"hello"}\n');
    return session;
  };
  const attemptOn = (name: string, work: (context: WorkContext) => unknown): (() => Promise<unknown>) => {
    const session = sessionFor(name);
    return () => runAttempt({ session, locks, work });
  };
  const [first, second, alone] = [attemptOn('first', () => {}), attemptOn('second', () => {}), sessionFor('alone')];
  let count = 0;
  return [
    { name: ATTEMPT, run: attemptOn('plain', () => {}) },
    { name: YIELDING, run: attemptOn('yielding', ({ yieldLock }) => yieldLock(() => {})) },
    {
      name: BARE, // what a window has the store and the file do, with nobody to drive them
      async run() {
        const result = await locks.acquire({
          session: alone, owner: `bench ${count += 1}`, waitMs: 0, signal: NEVER, info,
          tokenFloor: async () => records.tokenFloor?.(alone) ?? 0,
        });
        if (result.status !== 'granted') throw new Error(`the lock of ${alone} was ${result.status}`);
        const { lease } = result;
        const { tokenScope } = locks.capabilities;
        const opened = await records.open({ session: alone, lease, token: lease.token, tokenScope, signal: NEVER });
        await opened.close();
        await lease.release();
      },
    },
    { name: TWO, run: async () => { await first(); await second(); } },
  ];
}

/** Somebody who waits for the session, gets it in a window, and leaves it again. */
interface Waiter {
  /** The moment of the grant. */
  readonly granted: Promise<number>;
  leave(): Promise<unknown>;
}

/** An attempt whose work does nothing but open windows when it is told to. */
function holderOf(session: string, locks: LockStore) {
  let told: (window: (() => Promise<void>) | null) => void = () => {};
  let next: Promise<(() => Promise<void>) | null>;
  const listen = (): void => { next = new Promise((resolve) => { told = resolve; }); };
  listen();
  const done = runAttempt({
    session, locks,
    work: async ({ yieldLock }) => {
      for (let window = await next; window; window = await next) {
        listen();
        await yieldLock(window);
      }
    },
  });
  return { done, open: (window: () => Promise<void>) => told(window), end: () => told(null) };
}

async function grantsIn(
  session: string, locks: LockStore, wait: (name: string) => Waiter, { warmUp, rounds }: { warmUp: number; rounds: number },
): Promise<readonly number[]> {
  const samples: number[] = [];
  const holder = holderOf(session, locks);
  for (let round = -warmUp; round < rounds; round += 1) {
    const name = `waiter-${round + warmUp}`;
    const isWaiting = async (): Promise<boolean> => {
      const [status] = await locks.query(session);
      return status?.holder?.attemptId !== name && status?.waiting.some(({ attemptId }) => attemptId === name) === true;
    };
    while (!(await locks.query(session))[0]?.holder) await pause(1); // the lock is back from the window before
    const waiter = wait(name);
    while (!await isWaiting()) await pause(1);
    await new Promise<void>((ended) => {
      const from = now();
      holder.open(async () => {
        const at = await waiter.granted;
        if (round >= 0) samples.push(at - from);
        await waiter.leave();
        ended();
      });
    });
  }
  holder.end();
  const report = await holder.done;
  if (report.outcome !== 'completed') throw report.error;
  return samples;
}

/** An attempt that waits, tells when it is granted, and leaves when it is told to. */
function waiting(session: string, locks: LockStore, attemptId: string): Waiter {
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => { leave = resolve; });
  let grant = (_at: number): void => {};
  const granted = new Promise<number>((resolve) => { grant = resolve; });
  const attempt = createAttempt({ session, locks, attemptId, work: () => { grant(now()); return left; } });
  void attempt.start();
  return { granted, leave: () => { leave(); return attempt.done; } };
}

type Said = { readonly name: string; readonly grantedAt?: number };

function waitingIn(child: ChildProcess, session: string, name: string): Waiter {
  const hear = (is: (said: Said) => boolean): Promise<Said> => new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the other process has ended')));
    const listen = (said: unknown): void => {
      if (!is(said as Said)) return;
      child.off('message', listen);
      child.removeAllListeners('exit');
      resolve(said as Said);
    };
    child.on('message', listen);
  });
  const granted = hear((said) => said.name === name && said.grantedAt !== undefined);
  child.send({ wait: name, session });
  return {
    granted: granted.then(({ grantedAt = NaN }) => grantedAt),
    leave: () => {
      const left = hear((said) => said.name === name && said.grantedAt === undefined);
      child.send({ leave: name });
      return left;
    },
  };
}

/**
 * @param directory every case gets a session of its own in it
 * @param thin samples are divided by this
 */
export async function yielding(directory: string, thin = 1): Promise<Yielding> {
  const costs = await interleaved(casesIn(directory), { warmUp: 200, rounds: Math.ceil(1_000 / thin) });
  const locks = localFileLocks();
  const few = { warmUp: 20, rounds: Math.ceil(500 / thin) };
  const [here, there] = [join(directory, 'here.jsonl'), join(directory, 'there.jsonl')];
  const inProcess = await grantsIn(here, locks, (name) => waiting(here, locks, name), few);
  const child = fork(SELF, { execArgv: [] });
  try {
    return { costs, inProcess, otherProcess: await grantsIn(there, locks, (name) => waitingIn(child, there, name), few) };
  } finally {
    child.kill('SIGKILL');
  }
}

const row = (name: string, numbers: readonly (string | number)[]): void =>
  console.log(`${name.padEnd(38)}${numbers.map((number) => String(number).padStart(9)).join('')}`);

export function printYielding({ costs, inProcess, otherProcess }: Yielding): void {
  const median = (name: string): number => summaryOf(costs[name] ?? []).median;
  const less = (name: string): number => median(name) - median(ATTEMPT);
  console.log('\nOne window in which nobody comes, beside the release and the acquire it is made of.');
  row('microseconds', ['median', 'p10', 'p90']);
  for (const [name, values] of Object.entries(costs)) {
    const { median: middle, p10, p90 } = summaryOf(values);
    row(name, [middle, p10, p90].map((time) => time.toFixed(0)));
  }
  row('a window adds', [less(YIELDING).toFixed(0)]);
  row('a second attempt adds', [less(TWO).toFixed(0)]);
  row('a window / a second attempt', [(less(YIELDING) / less(TWO)).toFixed(2)]);
  row('a window / what it is made of', [(less(YIELDING) / median(BARE)).toFixed(2)]);
  console.log('\nFrom opening a window to the grant of the attempt that waits.');
  row('milliseconds', ['p50', 'p90', 'p99', 'max', 'n']);
  for (const [name, samples] of Object.entries({ 'in this process': inProcess, 'in another': otherProcess })) {
    const { median: half, p90, p99, max, count } = summaryOf(samples);
    row(name, [...[half, p90, p99, max].map((ms) => ms.toFixed(2)), count]);
  }
  console.log('aim: 0.3 in this process; 1.5 / 6 (p50 / p99) between processes');
}

/** The other process: waits when told to, says when it was granted and when it has left. Ends with its channel. */
function beTheOther(): void {
  const locks = localFileLocks();
  const waiters = new Map<string, Waiter>();
  const say = (said: Said): void => void process.send?.(said);
  process.on('message', (told: { wait?: string; leave?: string; session: string }) => {
    if (told.wait !== undefined) {
      const name = told.wait;
      const waiter = waiting(told.session, locks, name);
      waiters.set(name, waiter);
      void waiter.granted.then((grantedAt) => say({ name, grantedAt }));
    } else if (told.leave !== undefined) {
      const name = told.leave;
      void waiters.get(name)?.leave().then(() => say({ name }));
      waiters.delete(name);
    }
  });
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === SELF && process.send) beTheOther();
else if (process.argv[1] === SELF) {
  const directory = mkdtempSync(join(tmpdir(), 'attempt-bench-'));
  void yielding(directory, Number(process.argv[2] ?? 1)).then(printYielding).finally(() => {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
}
