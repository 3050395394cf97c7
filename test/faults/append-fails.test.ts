/**
 * What an append says when a call of it fails, and what the next one makes of it: nothing is acknowledged that may not be
 * there, nothing is lost to what may be.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { openFile, thrown } from '../session/support.js';
import { aside, failing, withSteps } from '../support/fs-steps.js';
import { temporaryDirectory } from '../support/temporary.js';

vi.mock('node:fs', async (original) => (await import('../support/fs-steps.js')).stepped(await original<object>()));

const newPath = (): string => join(temporaryDirectory(), 's.jsonl');

/** One append whose nth call of a name fails. @returns its error */
function failingAppend(session: ReturnType<typeof openFile>, call: string, nth = 1, before: () => void = () => {}): unknown {
  let seen = 0;
  return withSteps((name) => {
    if (name !== call || (seen += 1) !== nth) return;
    aside(before);
    throw failing('EIO');
  }, () => session.append({ lost: true })).error;
}

test.each([
  ['writeSync', 1], ['statSync', 1], ['statSync', 2],
] as const)('S15: %s fails the %d. time: told with its cause, and the next one is written and read', async (call, nth) => {
  const path = newPath();
  const session = openFile(path, 7);
  session.append({ n: 1 });
  expect(failingAppend(session, call, nth)).toMatchObject({ code: 'WRITE_FAILED', cause: { code: 'EIO' } });
  session.append({ n: 2 });
  void session.close();
  const kept = (await readSession(path)).records.map(({ record }) => record).filter((record) => !('lost' in (record as object)));
  expect(kept).toEqual([{ n: 1 }, { n: 2 }]);
});

test('S15: a write that ends short is told, and the next one starts a new line behind what there is of it', async () => {
  const path = newPath();
  const session = openFile(path, 7);
  session.append({ n: 1 });
  const { error } = withSteps((name, _index, args) => {
    if (name === 'writeSync') (args as unknown[])[1] = (args[1] as Buffer).subarray(0, 9);
  }, () => session.append({ lost: true }));
  expect(error).toMatchObject({ code: 'WRITE_FAILED' });
  session.append({ n: 2 });
  void session.close();
  const { records, torn } = await readSession(path);
  expect([records.map(({ record }) => record), torn]).toEqual([[{ n: 1 }, { n: 2 }], [2]]);
});

test('S15: the look back at neighbours fails: not acknowledged, though it may be there', () => {
  const path = newPath();
  const session = openFile(path, 7);
  session.append({ n: 1 });
  let reads = 0;
  const { error } = withSteps((name) => {
    if (name === 'writeSync') aside(() => writeFileSync(path, '{"foreign":true}\n', { flag: 'a' }));
    if (name === 'readSync' && (reads += 1) === 1) throw failing('EIO');
  }, () => session.append({ n: 2 }));
  expect(error).toMatchObject({ code: 'WRITE_FAILED', cause: { code: 'EIO' } });
  void session.close();
});

test('S15: its own bytes are not where they were put: not acknowledged', () => {
  const path = newPath();
  const session = openFile(path, 7);
  session.append({ n: 1 });
  let looks = 0;
  const { error } = withSteps((name) => {
    // Between the write and the look somebody writes over all of it, in the same file.
    if (name === 'statSync' && (looks += 1) === 2) aside(() => writeFileSync(path, '{"foreign":true}\n'.repeat(9)));
  }, () => session.append({ n: 2 }));
  expect(error).toMatchObject({ code: 'WRITE_FAILED' });
  void session.close();
});

test('a session that was removed, or moved away, behind a write is nobody\'s fault: acknowledged, and made anew by the next', async () => {
  const path = newPath();
  const session = openFile(path, 7);
  session.append({ n: 1 });
  let looks = 0;
  const { error } = withSteps((name) => {
    if (name === 'statSync' && (looks += 1) === 2) aside(() => rmSync(path));
  }, () => session.append({ n: 2 }));
  expect(error).toBeNull();
  session.append({ n: 3 });
  renameSync(path, `${path}.1`);
  session.append({ n: 4 });
  void session.close();
  expect((await readSession(path)).records.map(({ record }) => record)).toEqual([{ n: 4 }]);
  expect((await readSession(`${path}.1`)).records.map(({ record }) => record)).toEqual([{ n: 3 }]);
});

test('a directory in the session\'s place is refused before anything is written', () => {
  const path = newPath();
  const session = openFile(path, 7);
  mkdirSync(path);
  thrown('SESSION_INVALID', () => session.append({ n: 1 }));
  void session.close();
});

test('what keeps a session from being opened is told with its cause; one that vanished meanwhile is made by its first record', () => {
  const path = newPath();
  writeFileSync(path, '');
  const opening = (code: string) => withSteps((name) => {
    if (name === 'openSync') throw failing(code);
  }, () => openFile(path, 7));
  expect(opening('EMFILE').error).toMatchObject({ code: 'SESSION_OPEN_FAILED', cause: { code: 'EMFILE' } });
  const { result, error } = opening('ENOENT');
  expect(error).toBeNull();
  result?.append({ n: 1 });
  void result?.close();
});

test('S4: plain lines know no token, and are fenced by none', async () => {
  const path = newPath();
  writeFileSync(path, '{"$attempt":9,"of":9}\n');
  const session = openFile(path, null);
  session.append({ plain: 1 });
  writeFileSync(path, '{"$attempt":11,"of":11}\n', { flag: 'a' });
  session.append({ plain: 2 });
  void session.close();
  expect((await readSession(path)).records.map(({ record }) => record)).toEqual([{ of: 9 }, { plain: 1 }, { of: 11 }, { plain: 2 }]);
});

test('S4: a token that is there already is another attempt\'s, unless it is joined; a lower one is nobody\'s now', () => {
  const path = newPath();
  writeFileSync(path, '{"$attempt":7,"of":7}\n');
  thrown('WRITE_FENCED', () => openFile(path, 7));
  thrown('WRITE_FENCED', () => openFile(path, 6));
  for (const session of [openFile(path, 7, { joining: true }), openFile(path, 8)]) {
    session.append({ n: 1 });
    void session.close();
  }
});
