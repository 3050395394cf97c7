/**
 * Random lives of a fleet on an engine in memory (fleet.ts): tokens once each, one holder at a time, nothing left, everything
 * ends. `ENGINE_SEED=N` replays one life, `ENGINE_SEEDS=N` runs so many.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isDeep } from '../../support/depth.js';
import { live } from './fleet.js';

const replayed = process.env['ENGINE_SEED'];
const lives = Number(process.env['ENGINE_SEEDS'] ?? (isDeep ? 2_000 : 60));
const first = Number(replayed ?? Date.now() % 2 ** 31);

// A token that was raised is told as one that went back: there are no records here to have it from.
beforeEach(() => void vi.spyOn(process, 'emitWarning').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

test('S1 S2 S6 S11 S14 L1 L4 L5: whatever becomes of questions and answers', { timeout: 600_000 }, async () => {
  const sums = { grants: 0, lost: 0, unknown: 0 };
  for (let seed = first; seed < first + (replayed === undefined ? lives : 1); seed += 1) {
    const { broken, ...told } = await live(seed);
    expect(broken, `ENGINE_SEED=${seed} npx vitest run --dir test locks/engine/fleet`).toEqual([]);
    for (const key of ['grants', 'lost', 'unknown'] as const) sums[key] += told[key];
  }
  console.log(`${lives} lives from seed ${first}: ${sums.grants} grants, ${sums.lost} lost, ${sums.unknown} of whom nobody knew`);
  expect(sums.grants, 'not of nothing').toBeGreaterThan(0);
});

test('the same seed is the same life', async () => {
  expect(await live(7)).toEqual(await live(7));
});
