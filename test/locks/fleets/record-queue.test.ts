/**
 * The writes of one attempt to an engine, and what is said of one whose answer was lost.
 */
import { expect, test } from 'vitest';
import { RecordQueue, type Batch } from '../../../src/locks/engine/record-queue.js';

/** Answers in turn: written, fenced, or no answer. */
function queueOn(answers: (boolean | 'lost')[], next?: null) {
  const asked: Batch[] = [];
  const write = async (batch: Batch): Promise<boolean> => {
    asked.push(batch);
    const answer = answers.shift() ?? true;
    if (answer === 'lost') throw new Error('the connection was cut');
    return answer;
  };
  const queue = new RecordQueue('key', { write, isConnectionFailure: () => true }, next);
  return { asked, opened: queue.opened() };
}

test('S14 R1: a write whose answer was lost is asked again under its number, and is then one write', async () => {
  const { asked, opened } = queueOn(['lost', true]);
  await opened.append({ n: 1 });
  await opened.append({ n: 2 });
  expect(asked.map(({ first }) => first)).toEqual([1, 1, 2]);
});

test('S4 S14: fenced when it is asked again: what is not there is refused; of a replacement by nothing nobody can tell', async () => {
  const appended = queueOn(['lost', false]);
  await expect(appended.opened.append({ n: 1 })).rejects.toMatchObject({ code: 'WRITE_FENCED' });
  const emptied = queueOn(['lost', false]);
  await expect(emptied.opened.replace?.([])).rejects.toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('not known') });
});

test('S14 S15: one of several writers of a token does not ask again: it might be written twice', async () => {
  const { asked, opened } = queueOn(['lost'], null);
  await expect(opened.append({ n: 1 })).rejects.toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('not known') });
  expect(asked).toHaveLength(1);
});
