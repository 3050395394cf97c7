/** What the benchmark says about its samples is right, and every case gets its share. Speed itself is never asserted. */
import { describe, expect, it } from 'vitest';
import { readOff } from '../../src/bench/crowd.js';
import { interleaved } from '../../src/bench/interleaved.js';
import { quantile, summaryOf } from '../../src/bench/statistics.js';

describe('the benchmark', () => {
  it('sums up samples by quantiles, whatever their order', () => {
    expect(summaryOf([5, 1, 4, 2, 3])).toMatchObject({ count: 5, median: 3, p10: 1.4, p90: 4.6, max: 5 });
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('runs one of each per round, each round beginning with another, and forgets those to warm up', async () => {
    const ran: string[] = [];
    const cases = ['a', 'b', 'c'].map((name) => ({ name, run: () => void ran.push(name) }));
    const samples = await interleaved(cases, { warmUp: 1, rounds: 2 });
    expect(ran.join('')).toBe('abcbcacab');
    expect(Object.values(samples).map(({ length }) => length)).toEqual([2, 2, 2]);
  });
});

describe('a crowd', () => {
  it('counts hand-overs between processes while it is crowded, who starved, and overlaps', () => {
    const fair = readOff([[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]]);
    expect(fair).toEqual({ handovers: [1, 1, 1, 1], starved: 0, overlaps: 0 });
    const unfair = readOff([[[0, 1], [1, 2], [3, 4]], [[10, 11]]]);
    expect(unfair).toMatchObject({ starved: 1, overlaps: 0 });
    expect(readOff([[[0, 5]], [[4, 6]]]).overlaps).toBe(1);
  });
});
