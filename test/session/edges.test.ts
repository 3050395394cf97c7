/**
 * Edges of what keeps a session's records, each once a mutant that went unnoticed (`npm run mutants`).
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AttemptError } from '../../src/errors.js';
import { DoubtQueue } from '../../src/session/doubt-queue.js';
import { fileRecords } from '../../src/session/file-records.js';
import { LeaseCertainty, WriteGate, type GateVerdict } from '../../src/session/gate.js';
import { encodeRecord } from '../../src/session/line.js';
import { LineSplitter } from '../../src/session/line-splitter.js';
import { PendingWrites } from '../../src/session/pending-writes.js';
import { readSession, streamSession } from '../../src/session/read-session.js';
import { createWriter } from '../../src/session/writer.js';
import { DISCARDED_CHANNEL } from '../../src/trace/channels.js';
import { FakeClock, leaseWith, openFile, thrown, useScratch } from './support.js';

const scratch = useScratch();
const line = (token: number | null, record: object): string => encodeRecord(record, token);

describe('lines cut out of a stream', () => {
  function cut(maxBytes: number, ...chunks: string[]) {
    const long: [string, number][] = [];
    const splitter = new LineSplitter(maxBytes, (piece, number) => long.push([piece.toString(), number]));
    const lines = [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
    return { lines: lines.map(({ bytes, number }) => `${number} ${bytes.toString()}`), long };
  }

  it('holds no more than the longest line may have: what is longer goes out with the piece that makes it so', () => {
    const long: string[] = [];
    const splitter = new LineSplitter(4, (piece) => long.push(piece.toString()));
    const after = (chunk: string): string[] => [...splitter.push(Buffer.from(chunk)), ...long.splice(0)].map(String);
    expect([after('abc'), after('d'), after('e'), after('f'), after('')]).toEqual([[], [], ['abc', 'd', 'e'], ['f'], []]);
    expect([after('\nabcd'), after('e'), after('f\n')]).toEqual([[''], ['abcd', 'e'], ['f']]);
  });

  it('is a line where it just fits; one byte more goes out in pieces, and the next line is one again', () => {
    expect(cut(4, 'abcd\nef')).toEqual({ lines: ['1 abcd', '2 ef'], long: [] });
    expect(cut(4, 'ab', 'cd', '\n')).toEqual({ lines: ['1 abcd'], long: [] });
    expect(cut(4, 'ab', 'cde', 'f', '\ngh\n')).toEqual({ lines: ['2 gh'], long: [['ab', 1], ['cde', 1], ['f', 1], ['', 1]] });
    expect(cut(4, 'abcde\nf')).toEqual({ lines: ['2 f'], long: [['abcde', 1]] });
    expect(cut(4, 'abcde')).toEqual({ lines: [], long: [['abcde', 1], ['', 1]] });
    expect(cut(4, 'abcd')).toEqual({ lines: ['1 abcd'], long: [] });
    expect(cut(4, 'abc', 'de', 'f', '\n', 'g')).toEqual({ lines: ['2 g'], long: [['abc', 1], ['de', 1], ['f', 1], ['', 1]] });
    expect(cut(4, 'a\n', '', '\n')).toEqual({ lines: ['1 a', '2 '], long: [] });
  });
});

describe('what is no record', () => {
  class Point { x = 1; }
  it.each<[string, unknown, boolean]>([
    ['found null.', null, false], ['found an array.', [1], false], ['found a value of type string.', 'text', false],
    ['found a value of type undefined.', undefined, false], ['found an instance of Point.', new Point(), false],
    ['found a special object.', Object.create({ constructor: { name: '' } }), false], ['found a special object.', Object.create({}), false],
    ['found a special object.', Object.create({ constructor: { name: 7 } }), false], ['found a special object.', Math, false],
    ['found a special object.', Object.create(Object.create(null) as object), false],
    ['found one that JSON cannot carry', { a: 1n }, true], ['its toJSON() returned something else', { toJSON: () => [1] }, false],
  ])('S15: %s', (what, record, hasCause) => {
    const error = thrown('RECORD_INVALID', () => encodeRecord(record as never, 1));
    expect(error.message).toContain(what);
    expect('cause' in error).toBe(hasCause);
  });
});

describe('records of a file', () => {
  it('tells what others wrote between two tokens, and nothing else', async () => {
    const path = scratch.path('s');
    writeFileSync(path, [1, 2, 3, 4].map((token) => line(token, { of: token })).join('') + line(null, { of: null }));
    const between = async (above: number, below: number) => (await fileRecords().recordsBetween!(path, above, below)).map(({ record }) => record);
    expect(await between(1, 4)).toEqual([{ of: 2 }, { of: 3 }]);
    expect(await between(0, 9)).toEqual([1, 2, 3, 4].map((of) => ({ of })));
    expect(await between(4, 5)).toEqual([]);
  });

  it('S5: nothing is written when it is closed, nor while it is being replaced; each says which', () => {
    const session = openFile(scratch.path('s'), 1, { tokenScope: 'process' });
    session.replace((function* () {
      expect(thrown('WRITE_FAILED', () => session.append({ a: 1 })).message).toContain('while replace() reads');
      yield { b: 2 };
    })());
    session.append({ c: 3 });
    session.replace((function* () {
      void session.close(); // the attempt ends meanwhile
      yield { d: 4 };
    })());
    expect(thrown('WRITE_FAILED', () => session.append({ e: 5 })).message).toContain('found it closed');
    expect(thrown('WRITE_FAILED', () => session.replace([])).message).toContain('found it closed');
    expect(readFileSync(scratch.path('s'), 'utf8')).toBe(line(1, { d: 4 }));
  });

  it.skipIf(process.getuid?.() !== 0)('a replaced file keeps its owner and its group', () => {
    for (const [uid, gid] of [[12, 0], [0, 34], [12, 34]] as const) {
      const path = scratch.path(`of ${uid} ${gid}`);
      writeFileSync(path, line(1, { a: 1 }));
      chownSync(path, uid, gid);
      const session = scratch.open(path, 2, { tokenScope: 'process' });
      session.replace([{ b: 2 }]);
      expect([statSync(path).uid, statSync(path).gid]).toEqual([uid, gid]);
    }
  });

  it('a rewrite of many pieces is whole', async () => {
    const session = scratch.open(scratch.path('long'), 1, { tokenScope: 'process' });
    const records = Array.from({ length: 300 }, (_, n) => ({ n, text: 'x'.repeat(10_000) }));
    session.replace(records);
    expect((await readSession(scratch.path('long'))).records.map(({ record }) => record)).toEqual(records);
  });

  it('a lock on another file system cannot stage a rewrite of this one: refused, and the session is as it was', () => {
    const path = scratch.path('s');
    writeFileSync(path, line(1, { a: 1 }));
    const elsewhere = '/dev/shm';
    if (!statSync(elsewhere, { throwIfNoEntry: false }) || statSync(elsewhere).dev === statSync(scratch.dir).dev) {
      console.warn('SKIPPED: no second file system here');
      return;
    }
    const staging = { path: () => join(elsewhere, `attempt-edges-${process.pid}`), confirm: () => true };
    const session = scratch.open(path, 2, { lease: leaseWith(2, { staging }) });
    expect(thrown('REPLACE_UNSUPPORTED', () => session.replace([{ b: 2 }])).cause).toMatchObject({ code: 'EXDEV' });
    expect(readFileSync(path, 'utf8')).toBe(line(1, { a: 1 }));
    expect(statSync(staging.path(), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('reading', () => {
  it('takes any length of line from 1 to the longest buffer', async () => {
    writeFileSync(scratch.path('s'), '1\n2\n');
    const read = async (maxLineBytes: number) => {
      const all: unknown[] = [];
      for await (const { record } of streamSession(scratch.path('s'), { maxLineBytes })) all.push(record);
      return all;
    };
    for (const most of [1, 2 ** 31 - 1]) expect(await read(most)).toEqual([1, 2]);
    for (const most of [0, 2 ** 31, 1.5]) await expect(read(most)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('S17: what is left out is counted and told to whoever subscribes; nothing is told where nothing was', async () => {
    const told: unknown[] = [];
    const hear = (message: unknown): void => void told.push(message);
    subscribe(DISCARDED_CHANNEL, hear);
    try {
      writeFileSync(scratch.path('s'), line(0, { a: 1 }) + line(2, { a: 2 }) + line(1, { a: 3 }) + line(0, { a: 4 }) + line(2, { a: 5 }));
      expect(await readSession(scratch.path('s'))).toMatchObject({ discarded: 2, records: [{ token: 0 }, { token: 2 }, { token: 2 }] });
      for await (const _ of streamSession(scratch.path('s'))); // without callbacks
      writeFileSync(scratch.path('s'), `${line(2, { a: 2 })}{"torn`);
      for await (const _ of streamSession(scratch.path('s')));
    } finally {
      unsubscribe(DISCARDED_CHANNEL, hear);
    }
    expect(told).toEqual([{ count: 2 }, { count: 2 }]);
  });
});

describe('the gate, and those who wait at it', () => {
  function writing(verdicts: { isYielded?: boolean; isOpen?: boolean } = {}) {
    const clock = new FakeClock();
    const written: unknown[] = [];
    const gate = new WriteGate({
      isOpen: () => verdicts.isOpen ?? true, isYielded: () => verdicts.isYielded ?? false, isLost: () => false, token: 7,
      certainty: new LeaseCertainty({ deadline: Infinity }, clock),
    });
    const append = (record: unknown): void => void written.push(record);
    const opened = { fencing: 'stamped' as const, append, appendSync: append, close: () => {} };
    return { gate, written, writer: createWriter({ gate, opened, clock, answerMs: 10 }) };
  }

  it('passes a rewrite on, at once or when the doubt is over', async () => {
    const clock = new FakeClock();
    const lease = { deadline: Infinity };
    const gate = new WriteGate({ isOpen: () => true, isLost: () => false, token: 7, certainty: new LeaseCertainty(lease, clock) });
    const put: unknown[] = [];
    const opened = { fencing: 'gated' as const, append: () => {}, replace: (records: unknown) => void put.push(records), close: () => {} };
    const writer = createWriter({ gate, opened, clock, answerMs: 10 });
    await writer.session.replace([{ a: 1 }]);
    lease.deadline = clock.now();
    const later = writer.session.replace([{ b: 2 }]);
    lease.deadline = Infinity;
    clock.advance(5);
    await later;
    expect([put, writer.used]).toEqual([[[{ a: 1 }], [{ b: 2 }]], 'gated']);
  });

  it('S5: nothing is written while the lock has been given up, and each way says so', async () => {
    const { gate, written, writer } = writing({ isYielded: true, isOpen: false });
    expect(gate.ask()).toBe('yielded');
    await expect(writer.session.append({ a: 1 })).rejects.toMatchObject({ code: 'LOCK_YIELDED' });
    thrown('LOCK_YIELDED', () => writer.session.appendSync({ a: 1 }));
    thrown('LOCK_YIELDED', () => writer.session.guard(() => written.push('guarded')));
    expect(written).toEqual([]);
  });

  it('waits in order, to the very end of its time and not longer; no timer is left', () => {
    const clock = new FakeClock();
    let verdict: GateVerdict = 'doubt';
    const queue = new DoubtQueue(() => verdict, clock, 10);
    const told: string[] = [];
    queue.push((said) => told.push(`first ${said}`));
    clock.advance(4);
    queue.push((said) => told.push(`second ${said}`));
    expect([queue.length, clock.timers]).toEqual([2, 1]);
    queue.recheck();
    expect([queue.length, clock.timers]).toEqual([2, 1]); // still watched
    clock.advance(5);
    expect(told).toEqual([]);
    clock.advance(1); // at the end of its time it is over
    expect([told, queue.length, clock.timers]).toEqual([['first doubt'], 1, 1]);
    verdict = 'open';
    queue.recheck();
    expect([told, queue.length, clock.timers]).toEqual([['first doubt', 'second open'], 0, 0]);
    queue.recheck(); // nobody there
    expect(clock.timers).toBe(0);
  });

  it('who waits for writes is told when the last has ended, once, and only those who wait', async () => {
    const pending = new PendingWrites();
    const ends: (() => void)[] = [];
    for (let n = 0; n < 2; n += 1) pending.track(new Promise<void>((resolve) => ends.push(resolve)));
    let idle = 0;
    void pending.idle().then(() => { idle += 1; });
    ends[0]!();
    await new Promise(setImmediate);
    expect([pending.count, idle]).toEqual([1, 0]);
    ends[1]!();
    await new Promise(setImmediate);
    expect([pending.count, idle]).toEqual([0, 1]);
    await pending.idle();
    expect(new AttemptError('WRITE_FAILED', '').code).toBe('WRITE_FAILED');
  });
});
