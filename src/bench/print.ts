/** Says what was measured. Beside each number stands what it is to be compared with; nothing here passes or fails. */
import type { Calls } from './calls.js';
import { BARE, FLOOR } from './cases.js';
import type { CrowdResult } from './crowd.js';
import type { Flat } from './flatness.js';
import type { InProcessResult } from './in-process.js';
import type { Samples } from './interleaved.js';
import type { Machine } from './machine.js';
import { summaryOf } from './statistics.js';

const row = (name: string, numbers: readonly (string | number)[]): void =>
  console.log(`${name.padEnd(38)}${numbers.map((number) => String(number).padStart(9)).join('')}`);

export function printMachine({ cpu, cores, node, system, filesystem }: Machine): void {
  console.log(`${cpu}, ${cores} cores; ${system}; node ${node}; ${filesystem}`);
}

export function printCosts(samples: Samples, rounds: number): void {
  const median = (name: string): number => summaryOf(samples[name] ?? []).median;
  const low = (name: string): number => summaryOf(samples[name] ?? []).p10;
  console.log(`\nOne of each, nobody else about. ${rounds} rounds, interleaved.`);
  row('microseconds', ['median', 'p10', 'p90', 'x bare', 'p10 x', 'x floor']);
  for (const [name, values] of Object.entries(samples)) {
    const { median: middle, p10, p90 } = summaryOf(values);
    const ratios = [middle / median(BARE), p10 / low(BARE), middle / median(FLOOR)].map((ratio) => ratio.toFixed(2));
    row(name, [...[middle, p10, p90].map((time) => time.toFixed(0)), ...ratios]);
  }
  console.log(`bare: ${BARE} (realpath on); floor: ${FLOOR}; aim: an attempt on files at 0.75 x bare`);
}

export function printCalls(counted: Readonly<Record<string, Calls>> | null): void {
  console.log('\nSystem calls of one: on files, and between the threads of a process (futex).');
  if (counted === null) return console.log('not counted: strace is missing, or may not be used here');
  for (const [name, calls] of Object.entries(counted)) {
    const { futex = 0, ...onFiles } = calls;
    const sum = Object.values(onFiles).reduce((all, count) => all + count, 0);
    console.log(`${name}: ${sum.toFixed(0)} on files, ${futex.toFixed(0)} futex`);
    console.log(`    ${Object.entries(onFiles).map(([call, count]) => `${call} ${count}`).join(', ')}`);
  }
}

const milliseconds = (samples: readonly number[]): string[] => {
  const { median, p90, p99, max } = summaryOf(samples);
  return [median, p90, p99, max].map((ms) => ms.toFixed(2));
};

export function printCrowds(results: Readonly<Record<string, CrowdResult | null>>, size: number): void {
  console.log(`\nHand-over between ${size} processes that all want one lock: from giving back to the next grant.`);
  row('milliseconds', ['p50', 'p90', 'p99', 'max', 'n', 'starved', 'overlaps']);
  for (const [name, result] of Object.entries(results)) {
    if (result === null) row(name, ['not measured: python3 is missing']);
    else row(name, [...milliseconds(result.handovers), result.handovers.length, result.starved, result.overlaps]);
  }
  console.log('aim: 1.5 / 6, none starved');
}

export function printAborts(results: Readonly<Record<string, readonly number[]>>): void {
  console.log('\nFrom the abort of work that obeys until another process holds the lock.');
  row('milliseconds', ['p50', 'p90', 'p99', 'max', 'n']);
  for (const [name, samples] of Object.entries(results)) row(name, [...milliseconds(samples), samples.length]);
  console.log('aim: 1.5 / 6');
}

export function printInProcess(results: Readonly<Record<string, InProcessResult>>, waiters: number): void {
  console.log(`\nHand-over in one process, ${waiters} waiters: from the release to the next grant.`);
  row('microseconds', ['p50', 'p90', 'p99', 'n', 'inverted']);
  for (const [name, { handovers, inversions }] of Object.entries(results)) {
    const { median, p90, p99, count } = summaryOf(handovers);
    row(name, [...[median, p90, p99].map((us) => us.toFixed(0)), count, inversions]);
  }
  console.log('aim: 300, none inverted');
}

export function printFlat(title: string, flat: Flat): void {
  console.log(`\n${title}`);
  row('how many', flat.map(({ of }) => of));
  row('microseconds each', flat.map(({ us }) => us.toFixed(0)));
  const least = Math.min(...flat.map(({ us }) => us));
  row('x the least', flat.map(({ us }) => (us / least).toFixed(2)));
}

export function printWeights(weights: Readonly<Record<string, number>>): void {
  console.log('\nWhat merely lives.');
  for (const [name, number] of Object.entries(weights)) {
    row(name, [name.startsWith('heap') ? `${(number / 1_000).toFixed(1)} kB` : `${(number * 100).toFixed(1)} %`]);
  }
}
