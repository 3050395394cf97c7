/**
 * M21: budgets that cannot work: wait 60 s against a hold of 17 min (openclaw #86801, #13744). Refused or warned about
 * when the attempt is made, before anything is touched.
 */
import { expect, test } from 'vitest';
import { AttemptError, type AttemptOptions } from '../../src/index.js';
import { useScene } from '../support/scene.js';

const scene = useScene();
const made = (options: Partial<AttemptOptions<unknown>>): unknown => {
  try {
    return scene().attempt({ ...options, work: () => 1 }) && 'made';
  } catch (error) {
    return error instanceof AttemptError ? `${error.code} ${error.message}` : error;
  }
};

test('M21: a wait of 60 s against a hold of 17 min is warned about, naming both', async () => {
  expect(made({ waitMs: 60_000, timeoutMs: 17 * 60_000 })).toBe('made');
  expect(await scene().warned()).toEqual(['ATTEMPT_BUDGETS']);
  expect(scene().warnings[0]?.message).toMatch(/1022000 ms.*60000 ms/);
});

test('M21: budgets that fit are not warned about', async () => {
  for (const timeoutMs of [1_000, 120_000, 590_000]) expect(made({ timeoutMs })).toBe('made');
  expect(made({ waitMs: Infinity, timeoutMs: 17 * 60_000 })).toBe('made');
  expect(made({ waitMs: 0, timeoutMs: 17 * 60_000 })).toBe('made'); // one try: it does not mean to outwait anybody
  expect(await scene().warned()).toEqual([]);
});

test('M21: an idle limit that can never fire is refused', () => {
  expect(made({ timeoutMs: 100, idleTimeoutMs: 100 })).toMatch(/^CONFIG_INVALID idleTimeoutMs: expected less than timeoutMs/);
});
