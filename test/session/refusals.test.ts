/** What is let through, what is refused, in which words, and which refusals nobody has to hear. */
import { describe, expect, it } from 'vitest';
import type { GateVerdict, WriteGate } from '../../src/session/gate.js';
import { refusal } from '../../src/session/refusals.js';
import { createWriter } from '../../src/session/writer.js';
import { FakeClock, thrown } from './support.js';

/** A writer whose gate gives these answers, one after the other, and then the last. */
function writing(...answers: GateVerdict[]) {
  const clock = new FakeClock();
  const written: unknown[] = [];
  const gate = { token: 7, ask: () => (answers.length > 1 ? answers.shift() : answers[0]) } as unknown as WriteGate;
  const append = (record: unknown): void => void written.push(record);
  const opened = { fencing: 'stamped' as const, append, appendSync: append, replace: append, close: () => {} };
  return { clock, written, writer: createWriter({ gate, opened, clock, answerMs: 10 }) };
}

describe('a refusal', () => {
  it('names the attempt by its token, where it has one', () => {
    for (const verdict of ['lost', 'yielded', 'doubt', 'closed'] as const) {
      expect(refusal(verdict, 7, 10).message).toContain('the attempt with token 7');
      expect(refusal(verdict, null, 10).message).toContain('this attempt');
    }
  });

  it('says what there is nothing to do with, where there are no records', async () => {
    const gate = { token: 7, ask: () => 'open' } as unknown as WriteGate;
    const { session } = createWriter({ gate, opened: null, clock: new FakeClock(), answerMs: 10 });
    await expect(session.append({})).rejects.toThrow('Expected records to append to');
    await expect(session.replace([])).rejects.toThrow('Expected records to replace to');
    expect(() => session.appendSync({})).toThrow('Expected records to appendSync to');
  });

  it('S15: what is no iterable of records is none, a text included', async () => {
    const { writer, written } = writing('open');
    for (const records of ['text', 7, null, undefined, {}]) {
      await expect(writer.session.replace(records as never)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    }
    expect(written).toEqual([]);
  });

  it('need not be heard where the attempt has ended; in a window of its own it is a mistake, and stays loud', async () => {
    const found: unknown[] = [];
    const hear = (reason: unknown): void => void found.push((reason as { code: unknown }).code);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear);
    try {
      for (const verdict of ['closed', 'lost', 'yielded'] as const) void writing(verdict).writer.session.append({});
      await new Promise(setImmediate);
    } finally {
      process.off('unhandledRejection', hear);
      for (const other of others) process.on('unhandledRejection', other);
    }
    expect(found).toEqual(['LOCK_YIELDED']);
  });
});

describe('what is let through', () => {
  it('S15: in order: who comes when the doubt has just ended does not overtake who waits', async () => {
    const { clock, written, writer } = writing('doubt', 'doubt', 'open');
    const first = writer.session.append({ n: 1 });
    const second = writer.session.append({ n: 2 }); // asked again for the one that waits: doubt; for itself: open
    expect(written).toEqual([]);
    clock.advance(5);
    await Promise.all([first, second]);
    expect([written, clock.timers]).toEqual([[{ n: 1 }, { n: 2 }], 0]);
  });

  it('a rewrite, at once', async () => {
    const { written, writer } = writing('open');
    await writer.session.replace([{ a: 1 }]);
    expect(written).toEqual([[{ a: 1 }]]);
  });

  it('guard() gives back what it was given: nothing, or an object that only has something called then', () => {
    const { writer } = writing('open');
    const odd = Object.defineProperty({}, 'then', { value: 7 });
    for (const value of [null, undefined, 7, 'text', odd]) expect(writer.session.guard(() => value)).toBe(value);
    expect(writer.pending).toBe(0);
    thrown('WRITER_CLOSED', () => writing('closed').writer.session.guard(() => null));
  });
});
