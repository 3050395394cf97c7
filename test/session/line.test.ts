/** One record, one line: what is a record, how the stamp is spelled, what is saved of a torn line. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyRecord, decodeLine, encodeMark, encodeRecord } from '../../src/session/line.js';
import { thrown } from './support.js';
import { holds, replayOf, testSeed } from '../support/holds.js';

const decode = (text: string) => decodeLine(Buffer.from(text));
const records = (text: string) => decode(text).entries.map(({ record, token }) => ({ record, token }));

class Point { x = 1; }

describe('encoding', () => {
  it('puts the stamp first and ends the line', () => {
    expect(encodeRecord({ role: 'user', text: 'a\nb' }, 7)).toBe('{"$attempt":7,"role":"user","text":"a\\nb"}\n');
    expect(encodeRecord({}, 7)).toBe('{"$attempt":7}\n');
    expect(encodeRecord({ a: 1 }, null)).toBe('{"a":1}\n');
  });

  it.each([
    ['a literal', { a: 1 }],
    ['a null prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['another realm', runInNewContext('({ a: 1 })') as object],
    ['a toJSON that returns an object', { toJSON: () => ({ a: 1 }) }],
    ['its own __proto__ key', JSON.parse('{"a":1}') as object],
  ])('takes %s', (_name, record) => {
    expect(records(encodeRecord(record, 3))).toEqual([{ record: { a: 1 }, token: 3 }]);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each<[string, unknown]>([
    ['null', null], ['undefined', undefined], ['an array', [1]], ['a string', 'x'], ['a number', 1],
    ['a class instance', new Point()], ['a Date', new Date(0)], ['a Map', new Map()],
    ['an error', new Error('x')],
    ['an array of another realm', runInNewContext('[1]')],
    ['a Date of another realm', runInNewContext('new Date(0)')],
    ['an object that inherits from another', Object.create({ a: 1 })],
    ['an heir of a null prototype', Object.create(Object.create(null) as object)],
    ['an heir of what only looks like a prototype of all', Object.create({ isPrototypeOf: 1 })],
    ['Math', Math], ['a function', () => 1],
    ['a BigInt inside', { a: 1n }], ['a cycle', cycle],
    ['a throwing getter', { get a() { throw new Error('no'); } }],
    ['a throwing toJSON', { toJSON() { throw new Error('no'); } }],
    ['a toJSON that returns an array', { toJSON: () => [] }],
    ['a toJSON that returns nothing', { toJSON: () => undefined }],
    ['a revoked proxy', revoked()],
    ['the reserved key', { $attempt: 7 }], ['the reserved key, undefined', { $attempt: undefined }],
    ['the reserved key from a toJSON', { toJSON: () => ({ a: 1, $attempt: 7 }) }],
  ])('refuses %s', (_name, record) => {
    for (const token of [7, null]) {
      const error = thrown('RECORD_INVALID', () => encodeRecord(record, token));
      expect(error.message).toMatch(/^Expected .* Nothing was written\. /);
    }
  });

  it('refuses what could not be read back for its length, and takes what just fits', () => {
    const size = 32 * 1024 * 1024;
    thrown('RECORD_INVALID', () => encodeRecord({ a: 'x'.repeat(size) }, 1));
    expect(encodeRecord({ a: 'x'.repeat(size - 8) }, null).length).toBe(size + 1);
  });

  it('keeps a nested reserved key, spelled so that nobody takes it for a stamp', () => {
    const record = { a: { $attempt: 9 }, b: [{ c: 1, $attempt: 10 }], text: '{"$attempt":11}' };
    const line = encodeRecord(record, 3);
    expect(line.indexOf('"$attempt"', 2)).toBe(-1);
    expect(records(line)).toEqual([{ record, token: 3 }]);
    // Torn just before its last brace, the nested object must not pass for a record.
    for (let cut = 1; cut < line.length - 1; cut++) expect(records(line.slice(0, cut))).toEqual([]);
  });

  it('copies a record so that later changes do not reach it', () => {
    const record = { list: [1] };
    const copy = copyRecord(record);
    record.list.push(2);
    expect(copy).toEqual({ list: [1] });
  });

  it('any JSON object comes back as it went', async () => {
    const anyRecord = fc.dictionary(fc.string(), fc.jsonValue()).filter((record) => !('$attempt' in record));
    await holds(fc.property(anyRecord, fc.option(fc.maxSafeNat()), (record, token) => {
      const line = encodeRecord(record, token);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(records(line.slice(0, -1))).toEqual([{ record: JSON.parse(JSON.stringify(record)) as unknown, token }]);
    }), { seed: testSeed, runs: 100, replay: replayOf('session/line') });
  });
});

describe('decoding', () => {
  it.each<[string, string, unknown, number | null]>([
    ['a plain line', '{"a":1}', { a: 1 }, null],
    ['a stamp that is not first', '{"a":1, "$attempt" : 4}', { a: 1 }, 4],
    ['a number', '12', 12, null], ['an array', '[1]', [1], null], ['null', 'null', null, null],
    ['CRLF', '{"a":1}\r', { a: 1 }, null], ['a byte order mark', '\uFEFF{"$attempt":2,"a":1}', { a: 1 }, 2],
    ['token zero', '{"$attempt":0}', {}, 0],
    // Not ours: somebody's data, so the line counts as unstamped and keeps the key.
    ['a negative stamp', '{"$attempt":-1}', { $attempt: -1 }, null],
    ['a broken number', '{"$attempt":1.5}', { $attempt: 1.5 }, null],
    ['beyond safe', '{"$attempt":9007199254740992}', { $attempt: 9007199254740992 }, null],
    ['a text', '{"$attempt":"7"}', { $attempt: '7' }, null],
    ['a list with more', '{"$attempt":[7],"a":1}', { $attempt: [7], a: 1 }, null],
    ['a list of two', '{"$attempt":[7,8]}', { $attempt: [7, 8] }, null], ['nothing', '{"$attempt":null}', { $attempt: null }, null],
    ['what only looks like a list', '{"$attempt":{"0":7,"length":1}}', { $attempt: { 0: 7, length: 1 } }, null],
    ['a stamp inside a list', '[{"$attempt":7}]', [{ $attempt: 7 }], null], ['one inside', '{"a":{"$attempt":7}}', { a: { $attempt: 7 } }, null],
    ['an escaped spelling', '{"\\u0024attempt":7}', { $attempt: 7 }, null],
    ['a text with a byte of the byte order mark', '"\u00ff"', '\u00ff', null],
  ])('accepts %s', (_name, line, record, token) => {
    expect(decode(line)).toEqual({ entries: [{ record, token, mark: false }], torn: false });
  });

  it.each(['', ' ', '\r', '\t \r', '\uFEFF'])('has nothing to say about a blank line (%j)', (line) => {
    expect(decode(line)).toEqual({ entries: [], torn: false });
  });

  it('knows a mark from a record', () => {
    expect(decode(encodeMark(8)).entries).toEqual([{ record: {}, token: 8, mark: true }]);
  });

  it('S15: finds whole stamped records behind anything, and only those', () => {
    const two = '{"$attempt":7,"a":"x{"$attempt":8,"b":1}{"$attempt":9,"c":1}';
    expect(decode(two).torn).toBe(true);
    expect(records(two)).toEqual([{ record: { b: 1 }, token: 8 }, { record: { c: 1 }, token: 9 }]);
    expect(records('{"a":1}{"b":1}')).toEqual([]);
    expect(records('{"$attempt":7,"a":"}\\""}{"$att')).toEqual([{ record: { a: '}"' }, token: 7 }]);
    expect(records('\0\0\0{"$attempt":8,"b":1}')).toEqual([{ record: { b: 1 }, token: 8 }]);
    expect(records('x{"$attempt":8,"b":{"c":{}}}')).toEqual([{ record: { b: { c: {} } }, token: 8 }]);
    // A torn record must not take the whole one behind it for a part of itself, nor a foreign stamp for one of ours.
    expect(records('{"$attempt":7,"a":{"$attempt":8,"b":1}}x')).toEqual([{ record: { b: 1 }, token: 8 }]);
    expect(records('x{"$attempt":-1,"a":1}')).toEqual([]);
  });

  it('calls invalid UTF-8 torn, and saves what stands behind it', () => {
    const behind = Buffer.from('{"$attempt":8,"b":"ü"}');
    const cut = Buffer.from('{"$attempt":7,"a":"ü').subarray(0, -1);
    expect(decodeLine(Buffer.concat([cut, behind]))).toEqual({
      entries: [{ record: { b: 'ü' }, token: 8, mark: false }], torn: true,
    });
    expect(decodeLine(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ entries: [], torn: true });
  });

  it('never throws, whatever the bytes', async () => {
    await holds(fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, stamped) => {
      const start = Buffer.from(stamped ? '{"$attempt":1,' : '');
      expect(Array.isArray(decodeLine(Buffer.concat([start, bytes])).entries)).toBe(true);
    }), { seed: testSeed, runs: 100, replay: replayOf('session/line') });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
