/**
 * What an attempt pays for being looked at: the same attempt unwatched, traced, and shown on the page, interleaved.
 * The first two lines are the same thing twice: what they differ by is noise.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, mkdirSync, openSync, rmdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { memoryLocks, localFileLocks, runAttempt, systemClock, type LockStore } from '../index.js';
import { Feed } from '../inspector/feed.js';
import { RECORDS_CHANNEL } from '../trace/channels.js';
import { Watch } from '../trace/watch.js';
import type { TraceRecord } from '../trace/record.js';
import { interleaved, type Case, type Samples } from './interleaved.js';
import { summaryOf } from './statistics.js';

const WARM_UP = 300;
const STEPS = 2_000_000;

/** An attempt while somebody listens on the channel. */
async function heard(listen: (record: unknown) => void, run: () => Promise<unknown>): Promise<void> {
  subscribe(RECORDS_CHANNEL, listen);
  try {
    await run();
  } finally {
    unsubscribe(RECORDS_CHANNEL, listen);
  }
}

function casesOf(name: string, session: string, locks: LockStore, fd: number, feed: Feed): readonly Case[] {
  const run = (trace?: (record: TraceRecord) => void): Promise<unknown> =>
    runAttempt({ session, locks, records: 'none', work: () => {}, ...(trace && { trace }) });
  const write = (record: unknown): void => void writeSync(fd, `${JSON.stringify(record)}\n`);
  return [
    { name: `${name}, unwatched`, run: () => run() },
    { name: `${name}, unwatched, again`, run: () => run() },
    { name: `${name}, option trace, kept in memory`, run: () => run(() => {}) },
    { name: `${name}, trace file`, run: () => heard(write, () => run()) },
    { name: `${name}, live page`, run: () => heard(feed.take as (record: unknown) => void, () => run()) },
  ];
}

/** Nanoseconds for a step that nobody hears: what every attempt pays. */
function unheardStep(): number {
  const context = {} as never;
  const watch = new Watch({ attemptId: 'a', session: 's', labels: {}, clock: systemClock, trace: undefined }, {} as never);
  const step = (): void => watch.step({ type: 'start' }, 'idle', 'idle', () => [], context, () => {});
  for (let n = 0; n < STEPS / 10; n += 1) step();
  const begun = performance.now();
  for (let n = 0; n < STEPS; n += 1) step();
  return ((performance.now() - begun) * 1e6) / STEPS;
}

export interface Watched {
  /** Microseconds by case. */
  readonly samples: Samples;
  readonly unheardStepNs: number;
}

/** @param rounds how many of each are measured */
export async function watchedIn(directory: string, rounds: number): Promise<Watched> {
  const fd = openSync(join(directory, 'trace.ndjson'), 'w');
  const feed = new Feed(() => {});
  const floor = join(directory, 'floor.lock');
  try {
    const samples = {
      ...await interleaved(casesOf('memory', 'key', memoryLocks(), fd, feed), { warmUp: WARM_UP, rounds }),
      ...await interleaved([
        ...casesOf('files', join(directory, 'watched.jsonl'), localFileLocks(), fd, feed),
        // What the file system itself asks for at this moment: it need not be what it asked for in another section.
        { name: 'files, mkdirSync + rmdirSync alone', run: () => { mkdirSync(floor); rmdirSync(floor); } },
      ], { warmUp: WARM_UP, rounds }),
    };
    return { samples, unheardStepNs: unheardStep() };
  } finally {
    feed.close();
    closeSync(fd);
  }
}

export function printWatched({ samples, unheardStepNs }: Watched): void {
  console.log(`\nAn attempt that is looked at. ${Object.values(samples)[0]?.length} rounds, interleaved, after ${WARM_UP} to warm up.`);
  console.log(`${'microseconds'.padEnd(42)}${['median', 'p10', 'p90', 'x unwatched'].map((title) => title.padStart(12)).join('')}`);
  for (const [name, values] of Object.entries(samples)) {
    const { median, p10, p90 } = summaryOf(values);
    const unwatched = summaryOf(samples[`${name.split(',')[0]}, unwatched`] ?? []).median;
    const numbers = [median.toFixed(0), p10.toFixed(0), p90.toFixed(0), (median / unwatched).toFixed(2)];
    console.log(`${name.padEnd(42)}${numbers.map((number) => number.padStart(12)).join('')}`);
  }
  console.log(`a step nobody hears: ${unheardStepNs.toFixed(0)} ns; an attempt has five to ten`);
}
