/**
 * Adds runs up, so that "nothing broke" says how much was tried.
 * Owns: the counts of many runs. Must not know: what they mean.
 */
import type { RunResult } from './run.js';
import { noCounts, type Counts } from './world.js';

export class Sum {
  runs = 0;
  readonly counts: Counts = noCounts();
  longestMs = 0;
  boundMs = Infinity;
  readonly #began = performance.now();

  get seconds(): number { return (performance.now() - this.#began) / 1_000; }

  add({ counts, liveness }: RunResult): void {
    this.runs += 1;
    for (const key of Object.keys(counts) as (keyof Counts)[]) this.counts[key] += counts[key];
    this.longestMs = Math.max(this.longestMs, liveness.longestMs);
    this.boundMs = Math.min(this.boundMs, liveness.boundMs);
  }
}

export function summaryOf({ runs, counts, seconds, longestMs, boundMs }: Sum): string {
  const c = counts;
  return [
    `${runs} runs, ${c.attempts} attempts, ${c.events} events in ${seconds.toFixed(1)} s`,
    `${c.grants} grants, ${c.takeovers} takeovers, ${c.losses} leases lost, ${c.crashes} crashes, ${c.standstills} standstills, `
      + `${c.faults} faults of messages`,
    `${c.windows} yield windows, of which ${c.resumed} ended with the lock in hand again, ${c.sections} sections`,
    `${c.acknowledged} records acknowledged, ${c.refused} late writes refused, ${c.rawWrites} zombie writes past every `
      + `check, of which readers leave out ${c.leftOut}`,
    `the last attempt ended ${Math.round(longestMs)} ms after the faults (bound ${boundMs} ms)`,
  ].join('\n');
}
