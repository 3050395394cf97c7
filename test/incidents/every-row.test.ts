/**
 * Every row of the incident family is a named test somewhere, or is said, loudly, to be still without its feature.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const tests = fileURLToPath(new URL('..', import.meta.url));
const rows = Array.from({ length: 22 }, (_, index) => `M${String(index + 1).padStart(2, '0')}`);

/** Parts of rows whose feature does not exist yet. An entry goes when its test comes. */
const PENDING: Readonly<Record<string, string>> = {};

/** The titles of all tests, as they stand in the files. */
function titles(): string {
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
  return files.filter((file) => !file.endsWith('every-row.test.ts'))
    .flatMap((file) => [...readFileSync(join(tests, file), 'utf8').matchAll(/(?:test|it|incident|describe)\w*(?:\.\w+)*\(\s*[`'"]([^\n]*)/g)])
    .map(([, title]) => title).join('\n');
}

test('every row of INCIDENTS.md is named by a test', () => {
  const named = titles();
  expect(rows.filter((row) => !named.includes(row))).toEqual([]);
});

for (const [row, what] of Object.entries(PENDING)) {
  console.warn(`NOT EXERCISED ${row}: ${what}`);
  test.todo(`${row}: ${what}`);
}
