/**
 * The package as its users get it: packed, unpacked into an empty folder, its dependencies linked from here (so that
 * no network is needed; `.ci/package` installs it for real, under each Node).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NEEDED_TO_IMPORT = ['xstate'];
const NEEDED_TO_LOCK = [...NEEDED_TO_IMPORT, 'proper-lockfile'];
const NEEDED_TO_CHECK = [...NEEDED_TO_IMPORT, 'fast-check', 'pure-rand'];

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies: Record<string, string>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
let folder: string;
let packed: string[];

/** An installation in a folder of its own, with only these dependencies. */
function install(name: string, dependencies: readonly string[]): string {
  const modules = join(folder, name, 'node_modules');
  mkdirSync(join(modules, 'attempt-lifecycle'), { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, 'package.tgz'), '--strip-components=1', '-C', join(modules, 'attempt-lifecycle')]);
  for (const dependency of dependencies) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true });
    symlinkSync(realpathSync(join(ROOT, 'node_modules', dependency)), join(modules, dependency));
  }
  return join(folder, name);
}

const node = (cwd: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'attempt-package-'));
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(said) as [{ filename: string; files: { path: string }[] }];
  execFileSync('mv', [join(folder, filename), join(folder, 'package.tgz')]);
  packed = files.map(({ path }) => path);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('contains what is needed and nothing else', () => {
  const built = String.raw`dist\/(machines|src)\/.*\.(js|d\.ts)|dist\/machines\/.*\.map|dist\/bin\/(.*\.cjs|LICENSES\.txt)`;
  const written = String.raw`machines\/.*\.ts|machines\/README\.md|visualizations\/.*|README\.md|CHANGELOG\.md|LICENSE|package\.json`;
  const pages = String.raw`src\/.*\.md|test\/((faults|kit|embeddings\/[^/]+)\/)?README\.md|test\/(kit\/examples|embeddings)\/.*\.m?[jt]s`;
  const allowed = new RegExp(`^(${built}|${written}|${pages})$`);
  expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
  expect(packed.filter((path) => /\/(cli|demo|bench|visualize)\/.*\.js|\.test\.ts$/.test(path))).toEqual([]);
  for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE', 'machines/attempt.machine.ts', 'dist/bin/attempt.cjs',
    'dist/src/inspector/page/main.js', 'visualizations/attempt.svg']) {
    expect(packed).toContain(path);
  }
});

it('imports and requires every subpath', () => {
  const home = install('subpaths', [...NEEDED_TO_LOCK, '@opentelemetry/api']);
  for (const subpath of Object.keys(manifest.exports)) {
    const name = `attempt-lifecycle${subpath.slice(1)}`;
    const json = name.endsWith('.json') ? ', { with: { type: "json" } }' : '';
    const imported = node(home, '--input-type=module', '-e', `console.log(Object.keys(await import("${name}"${json})).length > 0)`);
    expect(imported.stdout, `import ${name}: ${imported.stderr}`).toBe('true\n');
    const required = node(home, '--input-type=commonjs', '-e', `console.log(Object.keys(require("${name}")).length > 0)`);
    expect(required.stdout, `require ${name}: ${required.stderr}`).toBe('true\n');
  }
});

it('imports with nothing but xstate there: neither commander, ora, elkjs nor proper-lockfile is loaded', () => {
  const script = 'import("attempt-lifecycle").then(async ({ runAttempt, memoryLocks }) =>'
    + ' console.log((await runAttempt({ session: "s", locks: memoryLocks(), records: "none", work: () => "ran" })).value))';
  expect(node(install('bare', NEEDED_TO_IMPORT), '-e', script)).toMatchObject({ stdout: 'ran\n', status: 0 });
});

it('locks with nothing but xstate and proper-lockfile there', () => {
  const script = 'import("attempt-lifecycle").then(async ({ runAttempt }) =>'
    + ' console.log((await runAttempt({ session: "s", work: () => "ran" })).lease))';
  expect(node(install('locking', NEEDED_TO_LOCK), '-e', script)).toMatchObject({ stdout: 'released\n', status: 0 });
});

it('runs its command, which brings its own parser and everything else it needs', () => {
  const home = install('command', []);
  const main = join(home, 'node_modules', 'attempt-lifecycle', 'dist', 'bin', 'attempt.cjs');
  chmodSync(main, 0o755); // as npm does to what `bin` names
  symlinkSync(main, join(home, 'attempt'));
  const { stdout, status } = spawnSync('./attempt', ['run', 's', 'echo', 'ran'], { cwd: home, encoding: 'utf8' });
  expect({ stdout, status }).toEqual({ stdout: 'ran\n', status: 0 });
  expect(spawnSync('./attempt', ['--version'], { cwd: home, encoding: 'utf8' }).stdout).toBe(`${manifest.version}\n`);
});

/** One test file for `node --test`: the contract on a store that is right, and on one that forgets the signal. */
const STORE_TEST = `
import { test } from 'node:test';
import { memoryLocks } from 'attempt-lifecycle';
import { lockStoreContract } from 'attempt-lifecycle/testing';
const right = memoryLocks();
const acquire = process.env.BROKEN ? (asked) => right.acquire({ ...asked, signal: new AbortController().signal }) : right.acquire.bind(right);
const parts = ['releaseOwner', 'query', 'forceRelease'].map((name) => [name, right[name].bind(right)]);
const store = { capabilities: right.capabilities, acquire, ...Object.fromEntries(parts) };
let made = 0;
const makeStore = () => ({ store, session: 'session ' + (made += 1) });
for (const { title, run } of lockStoreContract(makeStore, { caseMs: 1_000 })) test(title, async () => { await run(); });
`;

it('has the contract of a lock for node:test, without fast-check or vitest', () => {
  const home = install('node-test', NEEDED_TO_IMPORT);
  writeFileSync(join(home, 'store.test.mjs'), STORE_TEST);
  const run = (env = {}) => spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'store.test.mjs'], {
    cwd: home, encoding: 'utf8', env: { ...process.env, ...env },
  });
  expect(run()).toMatchObject({ status: 0, stdout: expect.stringMatching(/# pass 20\n# fail 0\n/) as string });
  const broken = run({ BROKEN: '1' });
  expect(broken.stdout).toMatch(/not ok \d+ - S11 M02: a signal that fired beforehand asks for nothing[^]*expected busy, found granted/);
  expect(broken.status).toBe(1);
});

/** A script without any test runner. */
const SCRIPT = `
import { attemptMachine } from 'attempt-lifecycle/machine';
import { checkRunner, exploreAttempt, lockStoreContract, twoVariants } from 'attempt-lifecycle/testing';
const walk = { variants: [twoVariants[1]], causes: ['user'], lateAborts: 0, mostFound: 1 };
console.log('ours', exploreAttempt(walk).violations.length);
const machine = attemptMachine.provide({ guards: { canRelease: () => false } });
console.log('theirs', exploreAttempt({ ...walk, machine }).violations.some(({ id }) => id === 'S6'));
const hangs = { capabilities: { tokenScope: 'none' }, acquire: () => new Promise(() => {}) };
const [, first] = lockStoreContract(() => ({ store: hangs, session: 's' }), { caseMs: 20 });
console.log(await first.run().catch(({ name, message }) => name + ': ' + message));
const busy = new Set();
const makePort = () => ({
  start: ({ session, work }) => ({
    ended: (async () => {
      if (busy.has(session)) throw new Error('busy');
      busy.add(session);
      try { return await work(new AbortController().signal); } finally { busy.delete(session); }
    })(),
  }),
  tryLock: async (session) => (busy.has(session) ? null : (busy.add(session), async () => void busy.delete(session))),
  bounds: { settleMs: 20, waitMs: 0 }, close: async () => {},
});
console.log(await checkRunner(makePort, { sequences: 5, modes: ['M07'], seed: 1 }).then(
  ({ modes }) => modes[6].status, ({ code, message }) => code + ' ' + message));
`;

it.each([
  ['without fast-check says that it needs it', NEEDED_TO_IMPORT, 'CONFIG_INVALID checkRunner needs the package fast-check; '
    + 'install it beside attempt-lifecycle'],
  ['with fast-check', NEEDED_TO_CHECK, 'holds'],
])('has all three checks for a plain script; checkRunner %s', (name, dependencies, says) => {
  const home = install(`script ${name}`, dependencies);
  writeFileSync(join(home, 'script.mjs'), SCRIPT);
  expect(node(home, 'script.mjs')).toEqual({
    status: 0, stderr: '',
    stdout: `ours 0\ntheirs true\nContractViolation: expected an answer within 20 ms, found none\n${says}\n`,
  });
});

const CONSUMER = `
import { createAttempt, inheritAttempt, runAttempt, unwrap, type AttemptReport } from 'attempt-lifecycle';
import { attemptMachine } from 'attempt-lifecycle/machine';
import { checkRunner, exploreAttempt, lockStoreContract, type MakeStore, type RunnerPort } from 'attempt-lifecycle/testing';
const proofs: [unknown, Promise<unknown>, string | undefined] = [
  exploreAttempt().violations[0]?.story, checkRunner((): RunnerPort => { throw new Error('none'); }),
  lockStoreContract((): ReturnType<MakeStore> => { throw new Error('none'); })[0]?.title];
const report: AttemptReport<number> = await runAttempt({ session: 's', timeoutMs: 1_000, work: async ({ session }) => {
  await session.append({ a: 1 });
  return 1;
} });
const value: number = unwrap(report);
// @ts-expect-error -- a report has no such outcome
if (report.outcome === 'perhaps') throw report;
if (report.outcome === 'notStarted') console.log(report.error.holder?.pid);
console.log(proofs, value, attemptMachine.id, typeof createAttempt, typeof inheritAttempt);
`;

it.each(['NodeNext', 'Bundler'])('has types for a consumer whose module resolution is %s', (resolution) => {
  const home = install(`types-${resolution}`, [...NEEDED_TO_LOCK, '@types/node', 'undici-types']);
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'consumer.ts'), CONSUMER);
  const flags = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'ES2022', '--types', 'node'];
  const module = resolution === 'NodeNext' ? 'NodeNext' : 'Preserve';
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  expect(node(home, tsc, ...flags, '--module', module, '--moduleResolution', resolution, 'consumer.ts')).toMatchObject({ stdout: '', status: 0 });
}, 60_000);

it('declares every package its files import, and no other', () => {
  const home = install('imports', []);
  const dist = join(home, 'node_modules', 'attempt-lifecycle', 'dist');
  const imported = new Set<string>();
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => /\.c?js$/.test(name))) {
    // The bundled command has its packages inside; what it still imports is the user's to install.
    const imports = file.endsWith('.cjs') ? /import\(\s*"([^".][^"]*)"/g : /(?:from|import\()\s*'([^'.][^']*)'/g;
    for (const [, name] of readFileSync(join(dist, file), 'utf8').matchAll(imports)) {
      if (name !== undefined && !name.startsWith('node:')) imported.add(/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '');
    }
  }
  expect([...imported].sort()).toEqual(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).sort());
});
