/**
 * The examples: the known fault of each is found, and none in ours. All at a time: most of it is waiting.
 * M11 stops the whole process, in which the locks of the others would grow stale: see `stall.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { MODE_IDS } from '../../src/testing/index.js';
import { checkExample, expectRawTimers, sequences } from './support.js';

const WITHOUT_STALL = MODE_IDS.filter((id) => id !== 'M11');

expectRawTimers();

describe.concurrent('runners as people write them', () => {
  test('Promise.race + finally', async () => {
    const result = await checkExample('race-and-finally', { sequences: sequences(16), concurrency: 8 });
    expect(result.modes[8]?.breach?.sequence).toBe('START GRANTED RUN ABORT(user) ENDED WRITE MUST(hidden)');
  }, 300_000);

  test('M01: the seed bug, by its shortest sequence', async () => {
    const result = await checkExample('release-on-timeout-only', {
      sequences: sequences(16),
      concurrency: 8,
    });
    const [m01] = result.modes;
    expect(m01?.breach?.sequence).toBe('START GRANTED RUN ABORT(user) SETTLED(err)');
    expect(m01?.causes).toEqual(['ABORT(user)', 'ABORT(shutdown)']);
    expect(m01?.breach?.story.map((line) => line.split(/\s{2,}/)[0])).toEqual([
      'START',
      'RUN',
      'ABORT',
      'SETTLED(err)',
      'ENDED',
      'OUTSIDER TRIES',
    ]);
  }, 300_000);

  test('p-queue with a timeout', async () => {
    await checkExample('p-queue-with-timeout', { sequences: sequences(16), concurrency: 8 });
  }, 300_000);

  test('async-mutex with a timeout', async () => {
    await checkExample('async-mutex-with-timeout', { sequences: sequences(16), concurrency: 8 });
  }, 300_000);

  test('a bare proper-lockfile loop', async () => {
    const options = {
      sequences: sequences(4),
      concurrency: 16,
      modes: WITHOUT_STALL,
    };
    await checkExample('bare-proper-lockfile', options);
  }, 300_000);

  test('ours on files: nothing breaks', async () => {
    const options = {
      sequences: sequences(3),
      concurrency: 16,
      modes: WITHOUT_STALL,
    };
    expect((await checkExample('ours-on-files', options)).ok).toBe(true);
  }, 300_000);

  test('ours on memory: nothing breaks', async () => {
    const result = await checkExample('ours-on-memory', { sequences: sequences(40) });
    expect(result.ok).toBe(true);
  }, 300_000);
});
