/** Appending to a file that others may tear, delete, rotate or overtake in between. */
import {
  appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync,
  truncateSync, writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/session/line.js';
import { readSession } from '../../src/session/read-session.js';
import { leaseWith, thrown, useScratch } from './support.js';

const scratch = useScratch();
const text = (path: string) => readFileSync(path, 'utf8');

describe('opening', () => {
  it('creates nothing; the first append does', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    expect(existsSync(path)).toBe(false);
    session.append({ n: 1 });
    session.appendSync({ n: 2 });
    expect(text(path)).toBe('{"$attempt":7,"n":1}\n{"$attempt":7,"n":2}\n');
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(session.fencing).toBe('stamped');
  });

  it('writes where the lock resolved the session to', () => {
    const real = scratch.path('real.jsonl');
    scratch.open(scratch.path('spelled.jsonl'), 7, { lease: leaseWith(7, { session: real }) }).append({ n: 1 });
    expect(existsSync(scratch.path('spelled.jsonl'))).toBe(false);
    expect(text(real)).toBe('{"$attempt":7,"n":1}\n');
  });

  it('refuses what cannot be a session', () => {
    mkdirSync(scratch.path('directory'));
    thrown('SESSION_INVALID', () => scratch.open(scratch.path('directory'), 7));
    symlinkSync(scratch.path('nowhere'), scratch.path('broken'));
    thrown('SESSION_INVALID', () => scratch.open(scratch.path('broken'), 7));
    thrown('SESSION_INVALID', () => scratch.open('/dev/null', 7));
  });

  it.each([7, 8])('S4: refuses a file whose end carries token %i already, when ours is 7', (token) => {
    const path = scratch.path('copied.jsonl');
    writeFileSync(path, encodeRecord({ n: 1 }, token) + encodeRecord({ n: 2 }, 3));
    const error = thrown('WRITE_FENCED', () => scratch.open(path, 7));
    expect(error.message).toContain(`found one with ${token}`);
    expect(error.message).toContain('copied');
  });

  it('S4: sees the stamp of a last record longer than what it looks at first', () => {
    const path = scratch.path('long.jsonl');
    writeFileSync(path, encodeRecord({ n: 1 }, 2) + encodeRecord({ long: 'x'.repeat(200_000) }, 8));
    thrown('WRITE_FENCED', () => scratch.open(path, 7));
  });

  it('S4: counts stamps as readers do: of any place and spelling, and nothing that only looks like one', () => {
    const path = scratch.path('s.jsonl');
    writeFileSync(path, '{"a":1,"$attempt":8e0}\n');
    thrown('WRITE_FENCED', () => scratch.open(path, 7));
    writeFileSync(path, '{"a":{"$attempt":8}}\n{"$attempt":1.5}\n{"$attempt":99999999999999999999}\n');
    scratch.open(path, 7).append({ n: 1 });
  });

  it('does not mind stamps when it writes none', () => {
    const path = scratch.path('s.jsonl');
    writeFileSync(path, encodeRecord({ n: 1 }, 9));
    const session = scratch.open(path, null);
    session.append({ n: 2 });
    expect(text(path)).toBe('{"$attempt":9,"n":1}\n{"n":2}\n');
    expect(session.fencing).toBe('gated');
  });

  it('is over with close, which may come twice', () => {
    const session = scratch.open(scratch.path('s.jsonl'), 7);
    session.append({ n: 1 });
    void session.close();
    void session.close();
    thrown('WRITE_FAILED', () => session.append({ n: 2 }));
    thrown('WRITE_FAILED', () => session.replace([]));
  });
});

describe('appending', () => {
  it('goes on behind foreign JSONL, newline at its end or not', async () => {
    const path = scratch.path('foreign.jsonl');
    writeFileSync(path, '\uFEFF{"foreign":1}\r\n{"foreign":2}');
    scratch.open(path, 7).append({ n: 1 });
    expect(text(path)).toBe('\uFEFF{"foreign":1}\r\n{"foreign":2}\n{"$attempt":7,"n":1}\n');
    expect((await readSession(path)).records).toHaveLength(3);
  });

  it('S15: starts a new line where a neighbour left a torn one, stamped or plain', async () => {
    for (const token of [7, null]) {
      const path = scratch.path(`torn-${token}.jsonl`);
      const session = scratch.open(path, token);
      session.append({ n: 1 });
      appendFileSync(path, '{"$attempt":6,"n":"torn');
      session.append({ n: 2 });
      appendFileSync(path, 'x');
      session.append({ n: 3 });
      const { records, torn, discarded } = await readSession(path);
      expect(records.map(({ record }) => record)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      expect({ torn, discarded }).toEqual({ torn: [2, 4], discarded: 0 });
    }
  });

  it('S4, M09: a zombie past its gate is refused once its successor has written', async () => {
    const path = scratch.path('s.jsonl');
    const zombie = scratch.open(path, 7);
    zombie.append({ n: 1 });
    const successor = scratch.open(path, 8);
    successor.append({ n: 2 });
    thrown('WRITE_FENCED', () => zombie.append({ n: 3 }));
    thrown('WRITE_FENCED', () => zombie.append({ n: 4 }));
    successor.append({ n: 5 });
    const records = [{ token: 7 }, { token: 8 }, { token: 8 }];
    expect(await readSession(path)).toMatchObject({ records, discarded: 0 });
  });

  it('S4, S17: what a zombie wrote between its look and its write is left out and counted', async () => {
    const path = scratch.path('s.jsonl');
    scratch.open(path, 7).append({ n: 1 });
    scratch.open(path, 8).append({ n: 2 });
    appendFileSync(path, encodeRecord({ n: 3 }, 7));
    expect(await readSession(path)).toMatchObject({ records: [{ token: 7 }, { token: 8 }], discarded: 1 });
  });

  it('M10: records of our own token, put there by another way, do not fence us', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    session.append({ n: 1 });
    appendFileSync(path, encodeRecord({ n: 2 }, 7));
    session.append({ n: 3 });
    expect(text(path).split('\n')).toHaveLength(4);
  });

  it('makes the file anew where it was deleted', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    session.append({ n: 1 });
    rmSync(path);
    session.append({ n: 2 });
    expect(text(path)).toBe('{"$attempt":7,"n":2}\n');
  });

  it('follows a rotation, and ends the line of the new file first', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    session.append({ n: 1 });
    renameSync(path, `${path}.1`);
    writeFileSync(path, '{"rotated":true}');
    session.append({ n: 2 });
    expect(text(`${path}.1`)).toBe('{"$attempt":7,"n":1}\n');
    expect(text(path)).toBe('{"rotated":true}\n{"$attempt":7,"n":2}\n');
  });

  it('goes on after a truncation, in the middle of a line too', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    session.append({ n: 1 });
    truncateSync(path, 5);
    session.append({ n: 2 });
    truncateSync(path, 0);
    session.append({ n: 3 });
    expect(text(path)).toBe('{"$attempt":7,"n":3}\n');
  });

  it('writes nothing of an invalid record', () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    thrown('RECORD_INVALID', () => session.append({ a: 1n }));
    expect(existsSync(path)).toBe(false);
  });

  it('S14: says what the system said where it cannot write, and can go on later', () => {
    const path = scratch.path('missing/s.jsonl');
    const session = scratch.open(path, 7);
    const error = thrown('WRITE_FAILED', () => session.append({ n: 1 }));
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
    mkdirSync(scratch.path('missing'));
    session.append({ n: 2 });
    expect(text(path)).toBe('{"$attempt":7,"n":2}\n');
  });

  it('a record written while another is being encoded comes first, and both are whole', async () => {
    const path = scratch.path('s.jsonl');
    const session = scratch.open(path, 7);
    session.append({ n: 2, get inner() { session.append({ n: 1 }); return 'done'; } });
    const { records, torn } = await readSession(path);
    expect(records.map(({ record }) => (record as { n: number }).n)).toEqual([1, 2]);
    expect(torn).toEqual([]);
  });
});

describe('permissions', () => {
  // Root may do anything, so there is nothing to refuse it.
  it.skipIf(process.getuid?.() === 0)('an unreadable session is not opened, and the error says why', () => {
    const path = scratch.path('s.jsonl');
    writeFileSync(path, '');
    chmodSync(path, 0);
    expect(thrown('SESSION_OPEN_FAILED', () => scratch.open(path, 7)).cause).toMatchObject({ code: 'EACCES' });
  });
});
