/**
 * `npm run bench [-- attempt|handover|watched] [--json]`: what an attempt costs, measured beside what it is compared with.
 * The numbers are this machine's; the ratios are of one run and travel better. Nothing here passes or fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BARE, casesIn, FLOOR } from './cases.js';
import { handovers } from './handover.js';
import { interleaved, type Samples } from './interleaved.js';
import { machineOf, type Machine } from './machine.js';
import { summaryOf } from './statistics.js';
import { printWatched, watchedIn, type Watched } from './watched.js';

const SECTIONS = ['attempt', 'handover', 'watched'] as const;
type Section = (typeof SECTIONS)[number];

/** Enough for medians that repeat to a few per cent, in some seconds. */
const COST = { warmUp: 300, rounds: 1_500 };
const HANDOVER = { warmUp: 20, rounds: 200 };

interface Result {
  readonly machine: Machine;
  /** Microseconds by case. */
  readonly attempt?: Samples;
  /** Milliseconds. */
  readonly handover?: readonly number[];
  readonly watched?: Watched;
}

function argumentsOf(): { readonly sections: readonly Section[]; readonly json: boolean } {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } }, allowPositionals: true,
  });
  const unknown = positionals.find((name) => !(SECTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`expected a section (${SECTIONS.join(', ')}), found ${unknown}`);
  return { sections: positionals.length > 0 ? (positionals as Section[]) : SECTIONS, json: values.json };
}

async function measure(sections: readonly Section[]): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'attempt-bench-'));
  try {
    const machine = machineOf(directory);
    return {
      machine,
      ...(sections.includes('attempt') && { attempt: await interleaved(casesIn(directory), COST) }),
      ...(sections.includes('handover') && { handover: await handovers(join(directory, 'handover.jsonl'), HANDOVER) }),
      ...(sections.includes('watched') && { watched: await watchedIn(directory) }),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function printCosts(samples: Samples): void {
  const median = (name: string): number => summaryOf(samples[name] ?? []).median;
  const [bare, floor] = [median(BARE), median(FLOOR)];
  console.log(`\nOne of each, nobody else about. ${COST.rounds} rounds, interleaved, after ${COST.warmUp} to warm up.`);
  const head = ['median', 'p10', 'p90', 'x bare', 'x floor'].map((title) => title.padStart(9)).join('');
  console.log(`${'microseconds'.padEnd(38)}${head}`);
  for (const [name, values] of Object.entries(samples)) {
    const { median: middle, p10, p90 } = summaryOf(values);
    const times = [middle, p10, p90].map((time) => time.toFixed(0));
    const ratios = [middle / bare, middle / floor].map((ratio) => ratio.toFixed(2));
    console.log(`${name.padEnd(38)}${[...times, ...ratios].map((number) => number.padStart(9)).join('')}`);
  }
  console.log(`bare: ${BARE} (realpath on); floor: ${FLOOR}`);
}

function printHandover(samples: readonly number[]): void {
  const { count, median, p90, p99, max } = summaryOf(samples);
  console.log('\nFrom the abort of an attempt to the next grant, in another process that waits. The work obeys at once.');
  const numbers = Object.entries({ p50: median, p90, p99, max }).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
  console.log(['milliseconds', ...numbers, `n ${count}`].join('   '));
}

function print({ machine, attempt, handover, watched }: Result): void {
  const { cpu, cores, node, system, filesystem } = machine;
  console.log(`${cpu}, ${cores} cores; ${system}; node ${node}; ${filesystem}`);
  if (attempt) printCosts(attempt);
  if (handover) printHandover(handover);
  if (watched) printWatched(watched);
}

try {
  const { sections, json } = argumentsOf();
  const result = await measure(sections);
  if (json) console.log(JSON.stringify(result));
  else print(result);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
