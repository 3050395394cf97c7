/**
 * The house style, as far as a machine can see it: sizes, headers, names, and who may import whom. And that
 * importing the library is cheap: it loads neither the command's nor the pictures' dependencies.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const posix = (path: string): string => relative(root, path).split(sep).join('/');

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (/\.[mc]?ts$/.test(entry.name)) yield path;
  }
}

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const sources: readonly Source[] = ['machines', 'src', 'test'].flatMap((part) =>
  [...walk(join(root, part))].map((file) => {
    const text = readFileSync(file, 'utf8');
    return { path: posix(file), text, lines: text.trimEnd().split('\n') };
  }));
const product = sources.filter(({ path }) => !path.startsWith('test/'));

/** The parts that stand on the library, each for itself; the library must not know them. */
const OUTSIDE = ['cli', 'inspector', 'testing', 'demo', 'visualize', 'bench'];
const outsideOf = (path: string): string | undefined => OUTSIDE.find((part) => path.startsWith(`src/${part}/`));

/** What a file imports: paths inside the tree, and names of packages. */
function importsOf({ path, text }: Source): string[] {
  const found = [...text.matchAll(
    /(?:^|\s)(?:import|export)\s[^'"`;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
  )];
  return found.map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? '').map((name) =>
    (name.startsWith('.') ? posix(join(root, dirname(path), name)) : name));
}

/** Names every rule-breaker at once. */
const none = (rule: string, broken: readonly string[]): void => expect(broken, rule).toEqual([]);

describe('size and form', () => {
  test('tidy: files have fewer than 260 lines, tests 280', () => {
    none('files', sources.filter(({ path, lines }) => lines.length >= (path.startsWith('test/') ? 280 : 260)).map(
      ({ path, lines }) => `${path}: ${lines.length}`,
    ));
  });

  test('tidy: lines have at most 140 characters, in tests 150', () => {
    none('lines', sources.flatMap(({ path, lines }) => lines.flatMap((line, index) =>
      (line.length > longest(path) ? [`${path}:${index + 1}: ${line.length}`] : []))));
  });

  test('tidy: each file says at its top what it is for', () => {
    none('headers', sources.filter(({ path, text }) => path !== DOCUMENTED && !/^(#!.*\n)?\/\*\*\n? \*? ?\S|^\/\*\* \S/.test(text)).map(
      ({ path }) => path,
    ));
  });

  test('tidy: nothing is called utils, helpers, common or misc', () => {
    none('names', sources.map(({ path }) => path).filter(
      (path) => /(^|[/.-])(utils?|helpers?|common|misc)[/.-]/i.test(path),
    ));
  });

  test('tidy: file names are kebab-case', () => {
    const kebab = /^(M\d\d-)?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z-]+)*\.[mc]?ts$/;
    none('names', sources.map(({ path }) => path).filter((path) => !kebab.test(path.split('/').at(-1) ?? '')));
  });

  test('tidy: no bare TODO, no FIXME, no focused or silently skipped test', () => {
    const bare = /\b(TODO|FIXME|XXX)\b/;
    const focused = /\b(test|it|describe)\.(only|todo)\(/;
    // This file has to name them, and the incident rows without a feature are todos that say so loudly.
    const others = sources.filter(({ path }) => !/^test\/(tidy|incidents\/every-row)\.test\.ts$/.test(path));
    none('left over', others.filter(({ text }) => bare.test(text) || focused.test(text)).map(({ path }) => path));
  });
});

describe('who imports whom', () => {
  test('tidy: machines import xstate and their own folder, nothing else', () => {
    none('imports', sources.filter(({ path }) => path.startsWith('machines/')).flatMap((source) =>
      importsOf(source)
        .filter((name) => name !== 'xstate' && !/^machines\/[\w.-]+\.js$/.test(name))
        .map((name) => `${source.path} -> ${name}`)));
  });

  test('tidy: the library knows nothing of what stands on it', () => {
    none('imports', product.filter(({ path }) => path.startsWith('src/') && !outsideOf(path)).flatMap((source) =>
      importsOf(source).filter((name) => outsideOf(name)).map((name) => `${source.path} -> ${name}`)));
  });

  test('tidy: product code imports no test', () => {
    none('imports', product.flatMap((source) =>
      importsOf(source).filter((name) => name.startsWith('test/') || name === 'vitest').map(
        (name) => `${source.path} -> ${name}`,
      )));
  });

  test('tidy: within the tree imports end in .js and name a file that exists', () => {
    none('imports', sources.flatMap((source) => importsOf(source)
      .filter((name) => /^(machines|src|test)\//.test(name))
      .filter((name) => !/\.m?js$/.test(name) || !existsSync(join(root, name.replace(/js$/, 'ts'))))
      .map((name) => `${source.path} -> ${name}`)));
  });

  test('tidy: only an index.ts passes on the exports of others', () => {
    none('barrels', product.filter(({ path, text }) =>
      !path.endsWith('/index.ts') && /^export (\*|\{[^}]*\}) from/m.test(text)).map(({ path }) => path));
  });

  test('tidy: the index of a subpath does nothing else', () => {
    const index = product.filter(({ path }) => /^src\/(testing\/)?index\.ts$/.test(path));
    none('statements', index.filter(({ text }) =>
      text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').split(';').some(
        (one) => one.trim() && !/^\s*export\b[\s\S]*\bfrom\b/.test(one),
      ))
      .map(({ path }) => path));
  });

  test('tidy: the rules above can be broken', () => {
    const source = {
      path: 'src/a.ts', lines: [], text: "import { b } from './cli/b.js';\nexport * from '../machines/c.js';",
    };
    expect(importsOf(source)).toEqual(['src/cli/b.js', 'machines/c.js']);
    expect(outsideOf('src/cli/b.js')).toBe('cli');
  });
});

describe('importing the library', () => {
  const built = join(root, 'dist/src/index.js');
  const scratch = mkdtempSync(join(tmpdir(), 'attempt-tidy-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const run = (script: string): unknown => JSON.parse(execFileSync(process.execPath, [
    '--input-type=module', '-e', script,
  ], {
    encoding: 'utf8', env: { ...process.env, BUILT: built, LOADED: join(scratch, 'loaded') },
  }));

  test('L5: it loads no elkjs, commander, ora or proper-lockfile, and leaves no listener or handle', () => {
    expect(existsSync(built), 'run `npm test`, or build first').toBe(true);
    const found = run(`
      import { register, createRequire } from 'node:module';
      import { readFileSync } from 'node:fs';
      import { pathToFileURL } from 'node:url';
      const hook = 'import { appendFileSync } from "node:fs"; export async function load(url, context, next) {'
        + 'appendFileSync(process.env.LOADED, url + "\\\\n"); return next(url, context); }';
      register('data:text/javascript,' + encodeURIComponent(hook));
      const before = process.eventNames().map(String);
      await import(pathToFileURL(process.env.BUILT));
      const required = Object.keys(createRequire(process.env.BUILT).cache);
      console.log(JSON.stringify({
        loaded: [...required, ...readFileSync(process.env.LOADED, 'utf8').split('\\n')],
        listeners: process.eventNames().map(String).filter((name) => !before.includes(name)),
        timers: process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|FSEvent/.test(name)),
      }));
    `) as { loaded: string[]; listeners: string[]; timers: string[] };
    const package_ = (name: string) => found.loaded.filter((path) => path.includes(`/node_modules/${name}/`));
    expect(package_('xstate').length, 'what is loaded is seen').toBeGreaterThan(0);
    none('loaded', ['elkjs', 'commander', 'ora', 'proper-lockfile'].flatMap(package_));
    expect(found.listeners).toEqual([]);
    expect(found.timers).toEqual([]);
  });

  test('tidy: require() of it works, as it has no top-level await', () => {
    const names = run(`
      import { createRequire } from 'node:module';
      const library = createRequire(process.env.BUILT)(process.env.BUILT);
      console.log(JSON.stringify(Object.keys(library)));
    `);
    expect(names).toEqual(expect.arrayContaining(['runAttempt', 'createAttempt', 'attempts', 'unwrap']));
  });
});

/** Stands in a page as it is, with the words around it. */
const DOCUMENTED = 'test/kit/examples/documented.ts';

/** Titles of tests are sentences. */
function longest(path: string): number {
  return path.startsWith('test/') ? 150 : 140;
}
