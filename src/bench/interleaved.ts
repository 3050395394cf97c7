/**
 * Measures several things side by side: one of each per round, so that whatever else the machine does meets all alike.
 */

export interface Case {
  readonly name: string;
  readonly run: () => unknown;
}

export type Samples = Readonly<Record<string, readonly number[]>>;

/**
 * @param rounds how many of each are measured; those before them (`warmUp`) are run and forgotten
 * @returns microseconds, by the case's name
 */
export async function interleaved(
  cases: readonly Case[], { warmUp, rounds }: { warmUp: number; rounds: number },
): Promise<Samples> {
  const samples: Record<string, number[]> = Object.fromEntries(cases.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (let i = 0; i < cases.length; i += 1) {
      // Each round begins with another case, so that none always follows the same one.
      const one = cases[(i + round + warmUp) % cases.length] as Case;
      const start = performance.now();
      const result = one.run();
      if (result instanceof Promise) await result;
      if (round >= 0) samples[one.name]?.push((performance.now() - start) * 1_000);
    }
  }
  return samples;
}
