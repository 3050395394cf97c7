/** What is said about a list of measurements. Pure. */

export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The value below which that share of the samples lies, between two of them by proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

export function summaryOf(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { count: sorted.length, median: at(0.5), p10: at(0.1), p90: at(0.9), p99: at(0.99), max: at(1) };
}
