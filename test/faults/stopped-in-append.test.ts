/**
 * A writer that is stopped between its look at the end of the session and its write, while a successor is granted and
 * writes. Found by the sweep: the late record was acknowledged, and no reader ever saw it.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { openFile, thrown } from '../session/support.js';
import { aside, withSteps } from '../support/fs-steps.js';
import { temporaryDirectory } from '../support/temporary.js';

vi.mock('node:fs', async (original) => (await import('../support/fs-steps.js')).stepped(await original<object>()));

/** Appends under token 7, stopped at the write itself while `meanwhile` happens. @returns the error, or null */
function stoppedAppend(meanwhile: (path: string) => void) {
  const path = join(temporaryDirectory(), 's.jsonl');
  const session = openFile(path, 7);
  session.append({ n: 1 });
  let done = false;
  const { error } = withSteps((name) => {
    if (name !== 'writeSync' || done) return;
    done = true;
    aside(() => meanwhile(path));
  }, () => session.append({ n: 2 }));
  return { path, session, error };
}

const appendAs = (token: number) => (path: string): void => {
  const successor = openFile(path, token);
  successor.append({ of: token });
  void successor.close();
};

test('S4 S15: a record behind a successor\'s is not acknowledged', async () => {
  const { path, session, error } = stoppedAppend(appendAs(8));
  expect(error).toMatchObject({ code: 'WRITE_FENCED' });
  thrown('WRITE_FENCED', () => session.append({ n: 3 }));
  void session.close();
  const { records, discarded } = await readSession(path);
  expect({ records: records.map(({ record }) => record), discarded }).toEqual({ records: [{ n: 1 }, { of: 8 }], discarded: 1 });
});

test('S4 S15: a record in a file that a successor has replaced is not acknowledged', async () => {
  const { path, session, error } = stoppedAppend((at) => {
    appendAs(8)(`${at}.new`);
    renameSync(`${at}.new`, at);
  });
  expect(error).toMatchObject({ code: 'WRITE_FENCED' });
  void session.close();
  expect((await readSession(path)).records.map(({ record }) => record)).toEqual([{ of: 8 }]);
});

test('S15: a neighbour of the same token, a rotated file, a foreign line: acknowledged as before', async () => {
  const rotated = (path: string): void => {
    renameSync(path, `${path}.1`);
    writeFileSync(path, '{"foreign":true}\n');
  };
  const foreign = (path: string): void => writeFileSync(path, '{"foreign":true}\n', { flag: 'a' });
  const neighbour = (path: string): void => {
    const beside = openFile(path, 7, { joining: true });
    beside.append({ beside: true });
    void beside.close();
  };
  for (const meanwhile of [neighbour, rotated, foreign]) {
    const { session, error } = stoppedAppend(meanwhile);
    expect(error).toBeNull();
    session.append({ n: 3 });
    void session.close();
  }
});

test('S4: a successor that writes only after the record changes nothing: it is read', async () => {
  const { path, session, error } = (() => {
    const at = join(temporaryDirectory(), 's.jsonl');
    const first = openFile(at, 7);
    first.append({ n: 1 });
    let looks = 0;
    const ran = withSteps((name) => {
      if (name === 'statSync') looks += 1;
      if (name === 'statSync' && looks === 2) aside(() => appendAs(8)(at)); // the look after the write
    }, () => first.append({ n: 2 }));
    return { path: at, session: first, error: ran.error };
  })();
  expect(error).toBeNull();
  void session.close();
  const { records, discarded } = await readSession(path);
  expect({ records: records.map(({ record }) => record), discarded }).toEqual({ records: [{ n: 1 }, { n: 2 }, { of: 8 }], discarded: 0 });
});

test('S14: a session that comes to be while it is opened is not taken for a link that leads nowhere', () => {
  const path = join(temporaryDirectory(), 's.jsonl');
  const { result, error } = withSteps((name) => {
    if (name === 'lstatSync') aside(() => appendAs(6)(path)); // between the two looks
  }, () => openFile(path, 7));
  expect(error).toBeNull();
  result?.append({ n: 1 });
  void result?.close();
});
