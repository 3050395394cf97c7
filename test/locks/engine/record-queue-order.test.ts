/**
 * The writes of one attempt to an engine: their order and numbers, how many go at a time, and how long they are asked again.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  collected, notHeldHere, RecordQueue, streamed, type Batch, type BatchWriter, type RecordPage,
} from '../../../src/locks/engine/record-queue.js';
import { AttemptError } from '../../../src/errors.js';
import { NoAnswer } from '../../../src/locks/engine/within.js';

type Answer = boolean | 'cut' | 'refused' | 'silent';
const lost = new Error('cut');
const isConnectionFailure = (error: unknown): boolean => error === lost || error instanceof NoAnswer;

/** Answers in turn; then each write is written at once, or when the test says so. */
function queueOn(answers: Answer[] = [], { next, slow = false, has }: { next?: null; slow?: boolean; has?: BatchWriter['has'] } = {}) {
  const asked: Batch[] = [];
  const waiting: (() => void)[] = [];
  const write = async (batch: Batch): Promise<boolean> => {
    asked.push(batch);
    if (slow) await new Promise<void>((resolve) => { waiting.push(resolve); });
    const answer = answers.shift() ?? true;
    if (answer === 'silent') return new Promise(() => {});
    if (answer === 'cut') throw lost;
    if (answer === 'refused') throw new Error('disk full');
    return answer;
  };
  const queue = new RecordQueue('key', { write, has: has ?? (async () => false), isConnectionFailure }, next);
  const opened = queue.opened();
  return { asked, opened, answer: () => waiting.shift()?.(), n: (n: number) => Promise.resolve(opened.append({ n })) };
}
const soon = () => new Promise((resolve) => { setImmediate(resolve); });
const codeOf = (promise: unknown) => Promise.resolve(promise).then(() => 'written', ({ code, message }: { code: string; message: string }) =>
  `${code}${message.includes('not known') ? ', not known' : ''}${message.includes('Nothing was written') ? ', nothing' : ''}`);

describe('writes', () => {
  test('S4: go in order, numbered from one; what comes while one is out goes together after it', async () => {
    const { asked, n, answer, opened } = queueOn([], { slow: true });
    const all = [1, 2, 3].map(n);
    expect(asked).toEqual([{ first: 1, records: ['{"n":1}'], replaces: false }]);
    answer();
    await soon();
    expect(asked[1]).toEqual({ first: 2, records: ['{"n":2}', '{"n":3}'], replaces: false });
    all.push(Promise.resolve(opened.replace?.([{ n: 4 }, { n: 5 }])), n(6));
    for (const step of [1, 2, 3]) {
      answer();
      await soon();
      expect(asked).toHaveLength(Math.min(4, step + 2));
    }
    expect(asked.slice(2)).toEqual([
      { first: 4, records: ['{"n":4}', '{"n":5}'], replaces: true }, { first: 6, records: ['{"n":6}'], replaces: false },
    ]);
    await Promise.all(all);
  });

  test('S4: each is acknowledged when its own is written, and a failure fails those that went together', async () => {
    const { n, answer } = queueOn([true, 'refused', true], { slow: true });
    const all = [1, 2, 3].map((one) => codeOf(n(one)));
    const done: number[] = [];
    all.forEach((one, index) => void one.then(() => done.push(index)));
    answer();
    await soon();
    expect(done).toEqual([0]);
    answer();
    await soon();
    expect(await Promise.all(all)).toEqual(['written', 'WRITE_FAILED, nothing', 'WRITE_FAILED, nothing']);
    const later = codeOf(n(4));
    answer();
    expect(await later).toBe('written');
  });

  test('a write is a short one: five hundred records, or about a million characters; one that is longer goes alone', async () => {
    const { asked, n, answer, opened } = queueOn([], { slow: true });
    const all = Array.from({ length: 502 }, (_, index) => n(index));
    answer();
    await soon();
    expect(asked.map(({ records }) => records.length)).toEqual([1, 500]);
    const long = (characters: number) => Promise.resolve(opened.append({ t: 'x'.repeat(characters - 8) }));
    all.push(long(999_983), long(8), long(8), long(8), long(1_000_001), n(1));
    for (let step = 0; step < 6; step += 1) {
      answer();
      await soon();
    }
    expect(asked.slice(2).map(({ records }) => records.map(({ length }) => length))).toEqual([[9, 999_983, 8], [8, 8], [1_000_001], [7]]);
    await Promise.all(all);
  });

  test('numbered by the engine they carry no number, and cannot replace', async () => {
    const { asked, opened, n } = queueOn([], { next: null });
    await n(1);
    await n(2);
    expect(asked).toEqual([1, 2].map((one) => ({ first: null, records: [`{"n":${one}}`], replaces: false })));
    expect([opened.replace, opened.fencing]).toEqual([undefined, 'stamped']);
    expect(queueOn().opened.replace).toBeTypeOf('function');
  });

  test('M20: closed, nothing more is taken; what was begun is still written; a record that is none is refused', async () => {
    const { asked, opened, n, answer } = queueOn([], { slow: true });
    const all = [1, 2].map(n);
    opened.close();
    expect([await codeOf(n(3)), asked.length]).toEqual(['WRITE_FAILED', 1]);
    answer();
    await soon();
    answer();
    await Promise.all(all);
    expect(asked).toHaveLength(2);
    expect(() => queueOn().opened.append(7 as never)).toThrow(expect.objectContaining({ code: 'RECORD_INVALID' }));
  });
});

describe('what is not answered', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('S14: is asked again after fifty milliseconds each, for five seconds; then nobody knows', async () => {
    const { asked, n } = queueOn(Array.from({ length: 200 }, () => 'cut' as const));
    const ended = codeOf(n(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(4_950);
    expect([await ended, asked.length, new Set(asked).size]).toEqual(['WRITE_FAILED, not known', 101, 1]);
  });

  test('L1: within five seconds is not asked again: nobody knows', async () => {
    const { asked, n } = queueOn(['silent']);
    const ended = codeOf(n(1));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect([await ended, asked.length, vi.getTimerCount()]).toEqual(['WRITE_FAILED, not known', 1, 0]);
  });

  test('S14: and then fenced is looked for by its number, which may find no answer either', async () => {
    const looked: number[] = [];
    const has = async (number: number) => {
      looked.push(number);
      throw lost;
    };
    const { n } = queueOn([true, 'cut', false], { has });
    await n(1);
    const ended = codeOf(n(2));
    await vi.advanceTimersByTimeAsync(50);
    expect([await ended, looked]).toEqual(['WRITE_FAILED, not known', [2]]);
    const silent = queueOn(['cut', false], { has: () => new Promise(() => {}) });
    const late = codeOf(silent.n(1));
    await vi.advanceTimersByTimeAsync(5_050);
    expect(await late).toBe('WRITE_FAILED, not known');
  });
});

test('an error is told with its cause, and one of ours as it is', async () => {
  const cause = new Error('disk full');
  const ours = new AttemptError('LOCK_STORE_FAILED', 'no tables');
  for (const [error, told] of [[cause, { code: 'WRITE_FAILED', cause }], [ours, ours]] as const) {
    const writer = { write: () => Promise.reject(error), has: async () => false, isConnectionFailure };
    await expect(new RecordQueue('key', writer).opened().append({ n: 1 })).rejects.toMatchObject(told);
  }
});

describe('what is fenced', () => {
  test('S4: at once, and is of nothing, or numbered by the engine, is refused without a look', async () => {
    const has = vi.fn(async () => true);
    expect(await codeOf(queueOn([false], { has }).opened.replace?.([]))).toBe('WRITE_FENCED');
    expect(await codeOf(queueOn([false], { has, next: null }).n(1))).toBe('WRITE_FENCED');
    expect(has).not.toHaveBeenCalled();
    expect(await codeOf(queueOn([false], { has }).n(1))).toBe('written');
  });

  test('S4: at opening says so', () => expect(notHeldHere('key', 'Redis')).toMatchObject({ code: 'WRITE_FENCED' }));
});

describe('reading', () => {
  const entry = (n: number) => ({ record: { n }, token: 1 });
  const pages = (found: Record<string, RecordPage>) => {
    const asked: (string | null)[] = [];
    const page = async (after: string | null) => {
      asked.push(after);
      return found[String(after)] ?? { entries: [], end: after };
    };
    return { asked, page };
  };

  test('goes page by page until one is empty, or the last', async () => {
    const some = pages({ null: { entries: [entry(1), entry(2)], end: 'a' }, a: { entries: [entry(3)], end: 'b' } });
    expect(await collected(streamed(some.page))).toEqual({ records: [entry(1), entry(2), entry(3)], discarded: 0, torn: [] });
    expect(some.asked).toEqual([null, 'a', 'b']);
    const last = pages({ null: { entries: [entry(1)], end: null } });
    expect((await collected(streamed(last.page))).records).toEqual([entry(1)]);
    expect(last.asked).toEqual([null]);
  });
});
