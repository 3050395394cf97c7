/**
 * The pages say what is so: the tables are the ones the expectations give, the example is the file that
 * is run here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MODE_IDS, MODES } from '../../src/testing/index.js';
import { reasons, table } from './examples/expected.js';

const findings = new URL('README.md', import.meta.url);
const guide = new URL('../../src/testing/README.md', import.meta.url);
const read = (file: URL): string => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');

/** A page with the part between two markers replaced. */
function withPart(page: string, [open, close]: readonly [string, string], part: string): string {
  const from = page.indexOf(open) + open.length;
  const to = page.indexOf(close, from);
  if (from < open.length || to < 0) throw new Error(`the page lacks ${open} ... ${close}`);
  return `${page.slice(0, from)}\n${part}\n${page.slice(to)}`;
}

const modes = (): string =>
  [
    '| mode | must |',
    '|---|---|',
    ...MODE_IDS.map((id) => {
      const { title, must, never } = MODES[id];
      return `| ${id} ${title} | ${must}${never === undefined ? '' : `. *Not exercised: ${never}*`} |`;
    }),
  ].join('\n');

const EXAMPLES = ['documented', 'documented-store', 'documented-walk'] as const;

const sourceOf = (name: string): string => read(new URL(`examples/${name}.ts`, import.meta.url));

/** An example as a user has to write it. */
const code = (name: string): string =>
  sourceOf(name)
    .trimEnd()
    .replaceAll('../../../src/testing/index.js', 'attempt-lifecycle/testing')
    .replaceAll('../../../src/index.js', 'attempt-lifecycle')
    .replaceAll('../../../machines/attempt.machine.js', 'attempt-lifecycle/machine');

const withExample = (page: string, name: string): string =>
  withPart(page, [`<!-- example: test/kit/examples/${name}.ts -->\n\`\`\`ts`, '```'], code(name));

const fresh: readonly [name: string, file: URL, page: () => string][] = [
  [
    'test/kit/README.md',
    findings,
    () =>
      withPart(
        withPart(read(findings), ['<!-- table -->', '<!-- /table -->'], table()),
        ['<!-- reasons -->', '<!-- /reasons -->'],
        reasons(),
      ),
  ],
  [
    'src/testing/README.md',
    guide,
    () =>
      withPart(
        EXAMPLES.reduce(withExample, read(guide)),
        ['<!-- modes -->', '<!-- /modes -->'],
        modes(),
      ),
  ],
];

describe('the pages are up to date', () => {
  test.each(fresh)('%s', (name, file, page) => {
    if (process.env['KIT_WRITE']) writeFileSync(file, page());
    expect(
      read(file) === page(),
      `${name} is stale: run KIT_WRITE=1 npx vitest run --dir test kit/docs`,
    ).toBe(true);
  });
});

test('the documented example runs, and finds what its last lines say', async () => {
  const { result } = await import('./examples/documented.js');
  const m03 = result.modes.find(({ id }) => id === 'M03');
  expect(m03).toMatchObject({
    status: 'breaks',
    breach: { sequence: 'START GRANTED RUN ABORT(user) ENDED' },
  });
  expectSaid('documented', result.toText());
}, 60_000);

test('documented-store runs, and finds what its last lines say', async () => {
  expectSaid('documented-store', (await import('./examples/documented-store.js')).lines.join('\n'));
}, 60_000);

test('documented-walk runs, and prints its last lines', async () => {
  const { lines } = await import('./examples/documented-walk.js');
  expect(lines.join('\n')).toBe(saidBy('documented-walk').join('\n'));
}, 60_000);

/** The comments at the end of an example. */
const saidBy = (name: string): string[] =>
  sourceOf(name)
    .split('\n')
    .filter((line) => line.startsWith('// '))
    .map((line) => line.slice(3));

/** They are lines of what it prints. */
function expectSaid(name: string, text: string): void {
  const said = saidBy(name);
  expect(said.length).toBeGreaterThan(1);
  for (const line of said) expect(text).toContain(line);
}
