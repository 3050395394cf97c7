/** What every reader accepts, leaves out and reports, and where a token's floor comes from. */
import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fileRecords } from '../../src/session/file-records.js';
import { readSession, streamSession } from '../../src/session/read-session.js';
import { useScratch } from './support.js';

const scratch = useScratch();

function fileWith(content: string | Buffer): string {
  const path = scratch.path('session.jsonl');
  writeFileSync(path, content);
  return path;
}

const tokenFloor = (path: string) => fileRecords().tokenFloor?.(path);

describe('readSession', () => {
  it('reads plain JSONL of any origin: a byte order mark, CRLF, blank lines, values that are no objects', async () => {
    const path = fileWith('\uFEFF{"a":1}\r\n\r\n  \n[2]\r\n"three"\n4\nnull');
    expect(await readSession(path)).toEqual({
      records: [{ a: 1 }, [2], 'three', 4, null].map((record) => ({ record, token: null })), discarded: 0, torn: [],
    });
  });

  it('S4, S17: leaves out a record below the highest token seen before it, and counts it', async () => {
    const lines = ['{"$attempt":5,"n":1}', '{"$attempt":7,"n":2}', '{"$attempt":5,"n":3}', '{"n":4}',
      '{"$attempt":6,"n":5}', '{"$attempt":7,"n":6}'];
    const { records, discarded, torn } = await readSession(fileWith(lines.join('\n') + '\n'));
    expect(records.map(({ record }) => (record as { n: number }).n)).toEqual([1, 2, 4, 6]);
    expect(records.map(({ token }) => token)).toEqual([5, 7, null, 7]);
    expect({ discarded, torn }).toEqual({ discarded: 2, torn: [] });
  });

  it('S15, S17: reports torn lines by number and keeps the whole record behind a torn one', async () => {
    const path = fileWith('{"n":1}\n{"$attempt":3,"n":{"$attempt":4,"n":2}\nnoise\n\n{"$attempt":4,"n":3');
    expect(await readSession(path)).toEqual({
      records: [{ record: { n: 1 }, token: null }, { record: { n: 2 }, token: 4 }], discarded: 0, torn: [2, 3, 5],
    });
  });

  it('accepts a whole last line without a newline', async () => {
    expect((await readSession(fileWith('{"$attempt":3,"n":1}'))).records).toEqual([{ record: { n: 1 }, token: 3 }]);
  });

  it('a mark raises the highest token and is no record', async () => {
    const path = fileWith('{"$attempt":[8]}\n{"$attempt":7,"n":1}\n{"$attempt":[6]}\n');
    expect(await readSession(path)).toEqual({ records: [], discarded: 1, torn: [] });
    expect(await tokenFloor(path)).toBe(8);
  });

  it('a session without a record has no file, so a missing file reads as empty', async () => {
    expect(await readSession(scratch.path('none.jsonl'))).toEqual({ records: [], discarded: 0, torn: [] });
    expect(await tokenFloor(scratch.path('none.jsonl'))).toBe(0);
  });

  it('says so when it is given a directory', async () => {
    mkdirSync(scratch.path('directory'));
    await expect(readSession(scratch.path('directory'))).rejects.toMatchObject({ code: 'SESSION_INVALID' });
    await expect(tokenFloor(scratch.path('directory'))).rejects.toMatchObject({ code: 'SESSION_INVALID' });
  });

  it('bounds the length of a line, to the byte', async () => {
    const path = fileWith('{"a":1}\n{"a":"12345"}\n');
    expect((await readSession(path, { maxLineBytes: 13 })).records).toHaveLength(2);
    const error = await readSession(path, { maxLineBytes: 12 }).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'RECORD_INVALID' });
    expect((error as Error).message).toContain('line 2');
    for (const maxLineBytes of [0, 1.5, NaN, 2 ** 31]) {
      await expect(readSession(path, { maxLineBytes })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });

  it('reads lines that are longer than a chunk', async () => {
    const long = 'ü'.repeat(500_000);
    const path = fileWith(`{"n":1}\n{"$attempt":2,"long":"${long}"}\n{"n":3}\n`);
    const { records, torn } = await readSession(path);
    const lengths = records.map(({ record }) => (record as { long?: string }).long?.length);
    expect(lengths).toEqual([undefined, 500_000, undefined]);
    expect(torn).toEqual([]);
  });
});

describe('streamSession', () => {
  it('tells of what it leaves out as it goes, and closes the file when the loop is left', async () => {
    const path = fileWith('{"$attempt":2,"n":1}\n{"$attempt":1,"n":2}\nnoise\n{"n":3}\n{"n":4}\n');
    const told: unknown[] = [];
    const callbacks = {
      onDiscarded: (left: unknown) => told.push(left), onTorn: (line: number) => told.push(line),
    };
    for await (const { record } of streamSession(path, callbacks)) {
      if ((record as { n: number }).n === 3) break;
    }
    expect(told).toEqual([{ record: { n: 2 }, token: 1, line: 2 }, 3]);
  });
});

describe('tokenFloor', () => {
  it('is the highest token of the file, not the last', async () => {
    expect(await tokenFloor(fileWith('{"$attempt":5}\n{"$attempt":9}\n{"$attempt":6}\n{"n":1}\n'))).toBe(9);
  });

  it('sees stamps in any place and form that readers see, torn ones too, and no others', async () => {
    expect(await tokenFloor(fileWith('{"a":1, "$attempt" : 40}\n'))).toBe(40);
    expect(await tokenFloor(fileWith('{"$attempt":7e3,"a":1}\n'))).toBe(7000);
    expect(await tokenFloor(fileWith('x{"$attempt":8,"a":1}\n{"$attempt":9,"a":'))).toBe(9);
    expect(await tokenFloor(fileWith('{"a":{"$attempt":40}}\n{"$attempt":12345678901234567890}\n'))).toBe(0);
    expect(await tokenFloor(fileWith('{"text":"{\\"$attempt\\":40}"}\n{"$attempt":1.5}\n'))).toBe(0);
  });

  it('finds stamps anywhere in a line too long to hold, in bounded memory', async () => {
    const path = scratch.path('long.jsonl');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 40 * 1024 * 1024); // one line of zeros; the stamps lie across the borders of chunks
    for (const [token, border] of [[11, 5], [12, 60]] as const) {
      writeSync(fd, `{"$attempt":${token},"a":1}`, border * 256 * 1024 - 9);
    }
    closeSync(fd);
    appendFileSync(path, '\n{"$attempt":3,"a":1}\n');
    expect(await tokenFloor(path)).toBe(12);
  });
});
