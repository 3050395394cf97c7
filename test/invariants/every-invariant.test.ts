/**
 * Every invariant is named by a test's title, and the table in `test/README.md` says by which.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { invariants } from '../../machines/attempt.invariants.js';

const tests = fileURLToPath(new URL('..', import.meta.url));
const page = join(tests, 'README.md');
const TITLE = /(?:test|it|incident|describe)\w*(?:\.\w+)*(?:\([^)]*\))?\(\s*[`'"]([^\n]*)/g;

/** Which folders have a test that names an id. */
function namedIn(id: string): string[] {
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts')).sort();
  const naming = files.filter((file) => !file.startsWith('invariants')
    && [...readFileSync(join(tests, file), 'utf8').matchAll(TITLE)].some(([, title]) => new RegExp(`\\b${id}\\b`).test(title ?? '')));
  return [...new Set(naming.map((file) => file.replace(/\/[^/]*$/, '').replaceAll('\\', '/')))];
}

/** The walk makes a title of each invariant of its scope (`machine/walk.test.ts`), so no file shows those. */
const walked = (scope: string): string[] => (scope === 'machine' ? ['machine'] : []);

const rows = invariants.map(({ id, statement, scope }) => (
  { id, statement, by: [...new Set([...walked(scope), ...namedIn(id)])].sort() }));
const table = ['', '| id | what must hold | tested in |', '|---|---|---|', ...rows.map(({ id, statement, by }) =>
  `| ${id} | ${statement} | ${by.map((folder) => `\`${folder}\``).join(' ')} |`), ''].join('\n');

test('no invariant is without a test that names it', () => {
  expect(rows.filter(({ by }) => by.length === 0).map(({ id }) => id)).toEqual([]);
});

test('an id that nobody names would be noticed', () => expect(namedIn('S99')).toEqual([]));

test('the table in test/README.md is this one', () => {
  const before = readFileSync(page, 'utf8');
  const after = before.replace(/(<!-- invariants -->\n)[\s\S]*(<!-- \/invariants -->)/, (_, open: string, close: string) => open + table + close);
  if (process.env['UPDATE']) writeFileSync(page, after);
  expect(process.env['UPDATE'] ? after : before, 'stale: UPDATE=1 npx vitest run --dir test invariants').toBe(after);
});
