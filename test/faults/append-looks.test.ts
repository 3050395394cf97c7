/**
 * How often an append looks at its file, and what it makes of what others put there between its look and its write: what
 * is untouched is not read again, what is not is looked at as far back as it goes, and no further than to our record.
 */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { openFile } from '../session/support.js';
import { aside, withSteps } from '../support/fs-steps.js';
import { temporaryDirectory } from '../support/temporary.js';

vi.mock('node:fs', async (original) => (await import('../support/fs-steps.js')).stepped(await original<object>()));

const STEP = 256 * 1024; // what is read at once in the look back
const put = (path: string, text: string): void => writeFileSync(path, text, { flag: 'a' });

/** One append in a session of two, with something put there just before its write. @returns the calls it made */
function appended({ token = 7, meanwhile = () => {}, before = () => {} }: {
  token?: number | null; meanwhile?: (path: string) => void; before?: (path: string) => void;
}) {
  const path = join(temporaryDirectory(), 's.jsonl');
  const session = openFile(path, token);
  session.append({ n: 1 });
  before(path);
  const calls: string[] = [];
  const { error } = withSteps((name) => {
    calls.push(name);
    if (name === 'writeSync') aside(() => meanwhile(path));
  }, () => session.append({ n: 2 }));
  void session.close();
  return { path, calls, error };
}

test('what is as we left it is looked at, written to and looked at: nothing is opened, nothing read', () => {
  const { calls, error } = appended({});
  expect([error, calls]).toEqual([null, ['statSync', 'writeSync', 'statSync']]);
});

test('where others have written only its end is read; it is not opened anew', () => {
  const { calls, error } = appended({ before: (path) => put(path, '{"foreign":true}\n') });
  expect([error, calls]).toEqual([null, ['statSync', 'readSync', 'writeSync', 'statSync']]);
});

test('S15: its own record is found behind whatever others put in front of it, also across the border of two looks', async () => {
  const own = '{"$attempt":7,"n":2}\n'.length;
  for (const length of [100, STEP - own - 1, STEP - own, STEP - own + 1, STEP - 5, STEP - 1, STEP, STEP + 5, 3 * STEP - 5]) {
    const { path, error } = appended({ meanwhile: (at) => put(at, `"${'x'.repeat(length - 3)}"\n`) });
    expect(error, String(length)).toBeNull();
    expect((await readSession(path)).records.map(({ record }) => record).at(-1)).toEqual({ n: 2 });
  }
});

/** Nobody's stamp: nested in a line of somebody else. It looks like one until the line is read. */
const NESTED = '{"theirs":{"$attempt":99}}\n';

test('S4: a record of a child with our token, and what only looks like a higher one, fence nobody', () => {
  const child = (path: string): void => put(path, `{"$attempt":7,"of":"a child"}\n${NESTED}`);
  expect(appended({ meanwhile: child }).error).toBeNull();
  expect(appended({ before: child }).error).toBeNull();
  const rotated = (path: string): void => {
    renameSync(path, `${path}.1`);
    child(path);
  };
  expect(appended({ meanwhile: rotated }).error).toBeNull();
  expect(appended({ before: rotated }).error).toBeNull();
});

test('S4: plain lines are fenced by no token, whenever it was put there', () => {
  const stamped = (path: string): void => put(path, '{"$attempt":9,"of":9}\n');
  expect(appended({ token: null, meanwhile: stamped }).error).toBeNull();
  expect(appended({ token: null, before: stamped }).error).toBeNull();
});

test.skipIf(process.platform !== 'linux')('L5: looking at the file that came in place of ours leaves nothing open', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let n = 0; n < 5; n += 1) {
    appended({ meanwhile: (path) => {
      renameSync(path, `${path}.1`);
      put(path, '{"foreign":true}\n');
    } });
  }
  expect(open()).toBe(before);
});
