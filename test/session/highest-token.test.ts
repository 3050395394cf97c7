/** The highest token that a session's file carries: in the whole of it, or at its end. */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/session/line.js';
import { highestTokenIn, readTail } from '../../src/session/token-scan.js';
import { useScratch } from './support.js';

const scratch = useScratch();
const line = (token: number | null, record: object): string => encodeRecord(record, token);

describe('the highest token of a file', () => {
  it('S3: none where there is no file; the highest wherever it stands, however long the file', async () => {
    const path = scratch.path('s');
    expect(await highestTokenIn(path)).toBe(0);
    for (const size of [0, 262_144 - 60, 262_144, 262_145, 700_000]) {
      const [high, low] = [line(41, { at: 'start' }), line(7, { at: 'end' })];
      const filler = Math.max(0, size - high.length - low.length - line(null, { x: '' }).length);
      writeFileSync(path, high + (filler > 0 ? line(null, { x: 'x'.repeat(filler) }) : '') + low);
      expect(await highestTokenIn(path), String(size)).toBe(41);
    }
  });

  it('S3: on a line with two records both count: one was torn, and the other glued to it', async () => {
    writeFileSync(scratch.path('s'), `{"$attempt":7,"a":"to${line(9, { b: 1 })}`);
    expect(await highestTokenIn(scratch.path('s'))).toBe(9);
  });

  it('S3: on a line too long to be parsed every stamp counts, and nothing that only looks like one', async () => {
    const long = 'x'.repeat(4 * 1024 * 1024);
    const highest = async (...lines: string[]): Promise<number> => {
      writeFileSync(scratch.path('long'), `${lines.join('\n')}\n`);
      return highestTokenIn(scratch.path('long'));
    };
    expect(await highest(`{"a":"${long}","$attempt":12}`)).toBe(12);
    expect(await highest(`{"a":"${long}"}`)).toBe(0);
    for (const other of ['7.5', '7e3', '9007199254740993', '12345678901234567']) expect(await highest(`${long}"$attempt":${other}`), other).toBe(0);
    expect(await highest(`${long}"$attempt":`, `99${long}`)).toBe(0); // two lines, and no stamp on either
  });

  it('a directory is refused, and what else is wrong is told as it is', async () => {
    mkdirSync(scratch.path('directory'));
    const refused = await highestTokenIn(scratch.path('directory')).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SESSION_INVALID' });
    expect('cause' in (refused as object)).toBe(false); // nothing failed: it is what it is
    writeFileSync(scratch.path('file'), '');
    await expect(highestTokenIn(join(scratch.path('file'), 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('at its end: what is lower than asked for is of no interest, and a record longer than the look is followed', () => {
    const tail = (text: string, from: number | null) => {
      writeFileSync(scratch.path('tail'), text);
      const fd = openSync(scratch.path('tail'), 'r');
      try {
        return readTail(fd, Buffer.byteLength(text), from);
      } finally {
        closeSync(fd);
      }
    };
    expect(tail('', 1)).toEqual({ highest: -1, atLineStart: true });
    expect(tail('{"a":1}\n', null)).toEqual({ highest: -1, atLineStart: true });
    expect(tail('{"a":1}', null)).toEqual({ highest: -1, atLineStart: false });
    expect(tail(line(4, {}), null)).toEqual({ highest: -1, atLineStart: true });
    expect(tail('{"theirs":{"$attempt":99}}\n', 1)).toEqual({ highest: -1, atLineStart: true });
    expect(tail(line(4, {}), 5)).toEqual({ highest: -1, atLineStart: true });
    expect(tail(line(0, {}), 1)).toEqual({ highest: -1, atLineStart: true });
    expect(tail('{"a":1}\n', 1)).toEqual({ highest: -1, atLineStart: true });
    expect(tail(line(5, {}), 5)).toEqual({ highest: 5, atLineStart: true });
    for (const length of [100, 16_384, 40_000, 200_000, 3_000_000]) {
      expect(tail(line(1, {}) + line(9, { x: 'x'.repeat(length) }), 5), String(length)).toEqual({ highest: 9, atLineStart: true });
    }
    expect(tail(`${line(9, { x: 'x'.repeat(20_000) }).slice(0, -2)}`, 5)).toEqual({ highest: 9, atLineStart: false });
    expect(tail(`${line(2, {})}{"text":"\\"$attempt\\":9"}\n`, 5)).toEqual({ highest: -1, atLineStart: true });
  });
});
