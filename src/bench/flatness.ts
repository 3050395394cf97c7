/** Does the cost of one grow with the number of others? */
import { join } from 'node:path';
import { localFileLocks, runAttempt } from '../index.js';
import { inProcess, takers } from './in-process.js';
import { summaryOf } from './statistics.js';

export type Flat = readonly { readonly of: number; readonly us: number }[];

const SESSIONS = [1, 10, 100, 1_000];
const WAITERS = [1, 8, 32, 256];

/** Microseconds per attempt with so many sessions at once. Blocks of each take turns, so that trouble meets all alike. */
export async function perAttempt(directory: string, rounds = 8): Promise<Flat> {
  const locks = localFileLocks();
  const samples = new Map<number, number[]>(SESSIONS.map((of) => [of, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const of of SESSIONS) {
      const begun = performance.now();
      const times = Math.max(1, 300 / of);
      for (let time = 0; time < times; time += 1) {
        await Promise.all(Array.from({ length: of }, (_, n) =>
          runAttempt({ session: join(directory, `flat-${n}`), locks, work: () => {} })));
      }
      if (round >= 0) samples.get(of)?.push((performance.now() - begun) * 1_000 / (Math.ceil(times) * of));
    }
  }
  return SESSIONS.map((of) => ({ of, us: summaryOf(samples.get(of) ?? []).median }));
}

/** Microseconds per hand-over in one process with so many waiters. */
export async function perHandover(directory: string, rounds = 4): Promise<Flat> {
  const { ours } = takers();
  const samples = new Map<number, number[]>(WAITERS.map((of) => [of, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const of of WAITERS) {
      const { handovers } = await inProcess(ours, join(directory, `waiters-${of}`), of, 2 * of + 300);
      samples.get(of)?.push(...handovers);
    }
  }
  return WAITERS.map((of) => ({ of, us: summaryOf(samples.get(of) ?? []).median }));
}
