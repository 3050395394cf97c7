/**
 * Runs the simulator over seeds: new ones each time, printed; SIMULATE_SEED and SIMULATE_SEEDS choose others.
 * Then shows that it bites: the same simulator on builds with one seeded bug each.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulateOptions } from '../../src/testing/simulate/plan.js';
import { simulate } from '../../src/testing/simulate/run.js';
import { shrink, storyOf } from '../../src/testing/simulate/story.js';
import { Sum, summaryOf } from '../../src/testing/simulate/summary.js';
import { isDeep, someOf } from '../support/depth.js';
import { BUGS } from './bugs.js';
import { build, withBug } from './patched-build.js';

const first = Number(process.env['SIMULATE_SEED'] ?? Date.now() % 1_000_000);
const seeds = Number(process.env['SIMULATE_SEEDS'] ?? (isDeep ? 1_000 : 40));

// Unconfirmed releases and late grants are what is simulated: their warnings are no news here.
const emit = process.emitWarning;
beforeAll(() => { process.emitWarning = () => {}; });
afterAll(() => { process.emitWarning = emit; });

describe('the simulator', () => {
  it(`M04 M17 S1 to S17, S19, L1, L3, L5, L8: ${seeds} seeds from ${first}`, async () => {
    const sum = new Sum();
    for (let seed = first; seed < first + seeds; seed += 1) {
      const result = await simulate({ seed });
      sum.add(result);
      if (result.violation) throw new Error(storyOf(await shrink(result)));
    }
    console.log(`simulate: ${summaryOf(sum)}, seeds ${first} to ${first + seeds - 1}`);
    const { grants, takeovers, losses, crashes, refused, leftOut, windows, resumed, sections } = sum.counts;
    const all = { grants, takeovers, losses, crashes, refused, leftOut, windows, resumed, sections };
    const idle = Object.entries(all).filter(([, count]) => count === 0);
    if (seeds >= 100) expect(idle, 'what never happened was not tested').toEqual([]);
  }, 3_600_000);

  it('the same seed gives the same trace, another seed another', async () => {
    const [one, same, other] = [await simulate({ seed: 5 }), await simulate({ seed: 5 }), await simulate({ seed: 6 })];
    expect(same.trace).toEqual(one.trace);
    expect(same.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
  });
});

/** Seeds that every bug has to be found within. The real build goes through them unharmed: the first row. */
const MOST_SEEDS = 150;

async function firstViolation(run: typeof simulate, options: Omit<SimulateOptions, 'seed'> = {}) {
  for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
    const result = await run({ ...options, seed });
    if (result.violation) return result;
  }
  return null;
}

describe('the simulator bites', () => {
  beforeAll(build, 120_000);

  it.runIf(isDeep)('finds nothing in the build as it is', async () => {
    await withBug(null, async (load) => {
      const { simulate: run } = await load('src/testing/simulate/run.js') as { simulate: typeof simulate };
      expect(await firstViolation(run)).toBe(null);
    });
  }, 3_600_000);

  it.each(someOf('seeded bugs against the simulator', Object.entries(BUGS), 2))('%s', async (name, bug) => {
    await withBug(bug, async (load) => {
      const { simulate: run } = await load('src/testing/simulate/run.js') as { simulate: typeof simulate };
      const { shrink: shrinkIt, storyOf: tell } = await load('src/testing/simulate/story.js') as {
        shrink: typeof shrink; storyOf: typeof storyOf;
      };
      const found = await firstViolation(run);
      expect(found?.violation, `not found within ${MOST_SEEDS} seeds`).toBeTruthy();
      if (!found) return;
      const shrunk = await shrinkIt(found);
      const again = await run(shrunk.options); // what the replay line runs
      expect(again.violation).toEqual(shrunk.violation);
      expect(tell(again)).toContain(`replay: npm run simulate -- --seed ${found.options.seed}`);
      console.log(`${name}: ${found.violation?.id} at seed ${found.options.seed}, ${shrunk.violation?.traceLength} lines`);
    });
  }, 120_000);
});
