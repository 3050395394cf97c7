/**
 * The writes of one attempt to an engine, and what is said of one whose answer was lost.
 */
import { expect, test } from 'vitest';
import { RecordQueue, type Batch } from '../../../src/locks/engine/record-queue.js';

/** Answers in turn: written, fenced, or no answer. */
function queueOn(answers: (boolean | 'lost')[], { next, there = [] }: { next?: null; there?: number[] } = {}) {
  const asked: Batch[] = [];
  const write = async (batch: Batch): Promise<boolean> => {
    asked.push(batch);
    const answer = answers.shift() ?? true;
    if (answer === 'lost') throw new Error('the connection was cut');
    return answer;
  };
  const queue = new RecordQueue('key', { write, has: async (n) => there.includes(n), isConnectionFailure: () => true }, next);
  return { asked, opened: queue.opened() };
}

test('S14 R1: a write whose answer was lost is asked again under its number, and is then one write', async () => {
  const { asked, opened } = queueOn(['lost', true]);
  await opened.append({ n: 1 });
  await opened.append({ n: 2 });
  expect(asked.map(({ first }) => first)).toEqual([1, 1, 2]);
});

test('S4 S14: fenced when it is asked again: written if the first time had been, else refused', async () => {
  const before = queueOn(['lost', false], { there: [1] });
  await before.opened.append({ n: 1 });
  for (const answers of [['lost', false], [false]] as (boolean | 'lost')[][]) {
    await expect(queueOn(answers).opened.append({ n: 1 })).rejects.toMatchObject({ code: 'WRITE_FENCED' });
  }
  const cleared = queueOn(['lost', false]); // that leaves nothing to be found by
  await expect(cleared.opened.replace?.([])).rejects.toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('not known') });
});

test('S14 S15: one of several writers of a token does not ask again: it might be written twice', async () => {
  const { asked, opened } = queueOn(['lost'], { next: null });
  await expect(opened.append({ n: 1 })).rejects.toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('not known') });
  expect(asked).toHaveLength(1);
});
