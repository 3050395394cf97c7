/**
 * M21: budgets that cannot work: wait 60 s against a hold of 17 min (openclaw #86801, #13744). Refused or warned about
 * when the attempt is made, before anything is touched.
 */
import { expect, test } from 'vitest';
import { AttemptError, memoryLocks, runAttempt, type AttemptOptions } from '../../src/index.js';
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

test('M21: limits as long as a timer can be, and none at all, on real timers: nothing fires, and Node has no warning', async () => {
  const warned: string[] = [];
  const hear = ({ name }: Error): void => void warned.push(name);
  process.on('warning', hear);
  try {
    const longest = 2 ** 31 - 1;
    const budgets: Partial<AttemptOptions<number>>[] = [
      { waitMs: Infinity, timeoutMs: longest }, { waitMs: longest, idleTimeoutMs: longest },
      { waitMs: 0, timeoutMs: longest, settleMs: longest, cleanupMs: longest, openMs: longest, answerMs: longest },
    ];
    for (const each of budgets) {
      const work = (): Promise<number> => new Promise((resolve) => { setTimeout(resolve, 5, 7); });
      const report = await runAttempt<number>({ session: 'm21', locks: memoryLocks(), records: 'none', work, ...each });
      expect([report.outcome, report.value]).toEqual(['completed', 7]);
    }
    await new Promise(setImmediate); // warnings are told a tick later
    expect(warned.filter((name) => name === 'TimeoutOverflowWarning')).toEqual([]);
    setTimeout(() => {}, Infinity);
    await new Promise(setImmediate);
    expect(warned, 'this is how one looks').toContain('TimeoutOverflowWarning');
  } finally {
    process.off('warning', hear);
  }
});
