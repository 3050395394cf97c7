/**
 * `npm run bench [-- section...] [--json] [--quick]`: what locks and attempts cost, beside what they are compared with.
 * Sections: attempt, calls, crowd, abort, process, flat, watched, windows, weight. `--json` prints the raw samples; `--quick` a
 * tenth of them.
 * The numbers are this machine's; the ratios are of one run and travel better. Nothing here passes or fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callsOf, canCount } from './calls.js';
import { BARE, casesIn } from './cases.js';
import { canMeasure, crowd, KINDS, type CrowdResult, type Kind } from './crowd.js';
import { perAttempt, perHandover } from './flatness.js';
import { handovers } from './handover.js';
import { inProcess, takers, type InProcessResult } from './in-process.js';
import { interleaved } from './interleaved.js';
import { machineOf } from './machine.js';
import { printAborts, printCalls, printCosts, printCrowds, printFlat, printInProcess, printMachine, printWeights } from './print.js';
import { printWatched, watchedIn } from './watched.js';
import { weigh, type Weighed } from './weight.js';
import { printYielding, yielding } from './yielding.js';

interface Run {
  readonly directory: string;
  /** Samples are divided by this. */
  readonly thin: number;
}

/** What a section measured, and how it is said. */
interface Measured {
  readonly samples: unknown;
  print(): void;
}

const measured = <T>(samples: T, print: (samples: T) => void): Measured => ({ samples, print: () => print(samples) });

const CROWD = 32;
const HOLD_MS = 5;
const WAITERS = 32;

const WEIGHTS: Readonly<Record<string, Weighed>> = {
  'heap of a live attempt, memoryLocks': 'heap-memory', 'heap of a live attempt, localFileLocks': 'heap-files',
  'processor, 10 000 held leases': 'cpu-ours', 'processor, 10 000 held proper-lockfiles': 'cpu-proper-lockfile',
};

const SECTIONS: Readonly<Record<string, (run: Run) => Promise<Measured>>> = {
  async attempt({ directory, thin }) {
    const rounds = Math.ceil(1_500 / thin);
    return measured(await interleaved(casesIn(directory), { warmUp: 300, rounds }), (all) => printCosts(all, rounds));
  },
  async calls() {
    const counted = ['attempt, localFileLocks', 'localFileLocks, acquire + release', BARE];
    return measured(canCount() ? Object.fromEntries(counted.map((name) => [name, callsOf(name)])) : null, printCalls);
  },
  async crowd({ directory, thin }) {
    const results: Record<string, CrowdResult | null> = {};
    // Those who poll take some thirty times as long: fewer rounds of theirs say as much.
    const rounds: Readonly<Record<Kind, number>> = { ours: 40, flock: 40, 'proper-lockfile': 12, polling: 12 };
    for (const kind of KINDS) {
      const options = { crowd: CROWD, rounds: Math.max(3, Math.ceil(rounds[kind] / thin)), holdMs: HOLD_MS };
      results[kind] = canMeasure(kind) ? await crowd(kind, join(directory, `crowd-${kind}`), options) : null;
    }
    return measured(results, (all) => printCrowds(all, CROWD));
  },
  async abort({ directory, thin }) {
    const times = { warmUp: 20, rounds: Math.ceil(1_000 / thin) };
    const few = { warmUp: 3, rounds: Math.ceil(60 / thin) };
    return measured({
      'attempts, localFileLocks': await handovers(join(directory, 'abort.jsonl'), times, 'attempt'),
      'proper-lockfile, polling 50 ms': await handovers(join(directory, 'plain.jsonl'), few, 'proper-lockfile'),
    }, printAborts);
  },
  async process({ directory, thin }) {
    const results: Record<string, InProcessResult> = {};
    for (const [name, take] of Object.entries(takers())) {
      results[name] = await inProcess(take, join(directory, `process-${name[0]}`), WAITERS, Math.ceil(2_000 / thin) + 3 * WAITERS);
    }
    return measured(results, (all) => printInProcess(all, WAITERS));
  },
  async flat({ directory, thin }) {
    const flat = {
      sessions: await perAttempt(directory, Math.max(2, Math.ceil(8 / thin))),
      waiters: await perHandover(directory, Math.max(1, Math.ceil(4 / thin))),
    };
    return measured(flat, ({ sessions, waiters }) => {
      printFlat('Attempts on so many sessions at once; aim: flat within 1.3.', sessions);
      printFlat('Hand-overs in one process with so many waiters; aim: flat within 1.3.', waiters);
    });
  },
  async watched({ directory, thin }) {
    return measured(await watchedIn(directory, Math.ceil(1_500 / thin)), printWatched);
  },
  async windows({ directory, thin }) {
    return measured(await yielding(directory, thin), printYielding);
  },
  // Last: it removes tens of thousands of files, and some file systems are slow for a while after that.
  async weight() {
    return measured(Object.fromEntries(Object.entries(WEIGHTS).map(([name, what]) => [name, weigh(what)])), printWeights);
  },
};

function argumentsOf(): { readonly sections: readonly string[]; readonly json: boolean; readonly quick: boolean } {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const known = Object.keys(SECTIONS);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`expected a section (${known.join(', ')}), found ${unknown}`);
  return { sections: positionals.length > 0 ? positionals : known, ...values };
}

async function main(): Promise<void> {
  const { sections, json, quick } = argumentsOf();
  const directory = mkdtempSync(join(tmpdir(), 'attempt-bench-'));
  try {
    const machine = machineOf(directory);
    if (!json) printMachine(machine);
    const samples: Record<string, unknown> = {};
    for (const section of sections) {
      const result = await SECTIONS[section]?.({ directory, thin: quick ? 10 : 1 });
      samples[section] = result?.samples;
      if (!json) result?.print();
    }
    if (json) console.log(JSON.stringify({ machine, ...samples }));
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
