/**
 * That the seeded bugs still fit the code, and that the report is theirs. `npm run seeded` says if they are killed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BUGS } from './bugs/index.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const read = (file: string): string => readFileSync(pathOf(file), 'utf8');

/** The incidents whose own bug has to be among them. */
const INCIDENTS = [
  'M01', 'M02', 'M03', 'M04', 'M05', 'M06', 'M07', 'M08', 'M09', 'M10', 'M12', 'M13', 'M15', 'M17', 'M18', 'M19', 'M20',
];

describe('the seeded bugs', () => {
  test('are at least 40, and no two have one id', () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(BUGS.map(({ id }) => id)).size).toBe(BUGS.length);
    expect(BUGS.filter(({ id }) => !/^[a-z]+(-[a-z]+)+$/.test(id))).toEqual([]);
    expect(BUGS.filter(({ breaks }) => !/^[MSLR]\d+( [MSLR]\d+)*$/.test(breaks))).toEqual([]);
  });

  test('have the own bug of every incident there is code for', () => {
    const broken = new Set(BUGS.flatMap(({ breaks }) => breaks.split(' ')));
    expect(INCIDENTS.filter((incident) => !broken.has(incident))).toEqual([]);
  });

  test('stand in the real code, each in exactly one place', () => {
    const places = BUGS.flatMap((bug) => [bug, ...(bug.also ? [bug.also] : [])].map(({ find, replace }) => (
      { id: bug.id, found: read(bug.file).split(find).length - 1, changes: find !== replace })));
    expect(places.filter(({ found, changes }) => found !== 1 || !changes)).toEqual([]);
    expect(BUGS.filter(({ file }) => !/^(machines|src)\/(?!testing)/.test(file))).toEqual([]);
  });

  test('name tests that are there', () => {
    const files = readdirSync(pathOf('test'), { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/')).filter((file) => file.endsWith('.test.ts'));
    const named = BUGS.flatMap(({ id, tests }) => tests.map((start) => ({ id, start })));
    expect(named.filter(({ start }) => !files.some((file) => file.startsWith(start)))).toEqual([]);
  });
});

describe('REPORT.md', () => {
  const report = read('test/seeded/REPORT.md');
  const lines = report.split('\n').filter((line) => line.startsWith('| `'));
  const rows = lines.map((line) => line.split(/(?<!\\) \| /));

  test('is about these bugs and no others', () => {
    const reported = rows.map(([id, breaks]) => `${id} ${breaks}`);
    expect(reported).toEqual(BUGS.map(({ id, breaks }) => `| \`${id}\` ${breaks}`));
  });

  test('says of each by which test it was killed', () => {
    expect(report).toContain(`${BUGS.length} bugs, ${BUGS.length} killed, 0 survived.`);
    const killers = rows.map(([id, , , by]) => [id, /^`([^`]+\.test\.ts)`: \S/.exec(by ?? '')?.[1]] as const);
    expect(killers.filter(([, file]) => file === undefined || !existsSync(pathOf(`test/${file}`)))).toEqual([]);
  });
});
