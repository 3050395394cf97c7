/**
 * The README tells the truth: its snippets run, its links lead somewhere, its lists are the code's.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');

/** What a reader has in their program already, from the second snippet on: the first is a whole program. */
const READERS_OWN = `
  const model = { ask: async (prompt, { signal }) => (signal.throwIfAborted(), 'a reply to ' + prompt) };
  const prompt = 'hello';
  const agent = { run: async function* () { yield 'one'; yield 'two'; } };
  const transcript = [];
  const myMutex = { acquire: async () => () => {} };
  process.on('exit', () => { if (globalThis.shown) console.log(JSON.stringify(globalThis.shown)); });
`;

const home = mkdtempSync(join(tmpdir(), 'readme-'));
mkdirSync(join(home, 'node_modules'));
symlinkSync(root, join(home, 'node_modules', 'attempt-lifecycle'), 'junction');
afterAll(() => rmSync(home, { recursive: true, force: true }));

function run(code: string, index: number): { status: number | null; stdout: string; stderr: string } {
  const file = join(home, `snippet-${index}.mjs`);
  writeFileSync(file, index === 0 ? code : READERS_OWN + code);
  return spawnSync(process.execPath, [file], { cwd: home, encoding: 'utf8', timeout: 20_000 });
}

describe('README', () => {
  it('stays under 250 lines', () => expect(readme.split('\n').length).toBeLessThanOrEqual(250));

  it.each(snippets.map((code, index) => [index, code] as const))('snippet %i runs', (index, code) => {
    const { status, stderr } = run(code, index);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('the first snippet leaves one stamped record and no lock', () => {
    const { stdout } = run(snippets[0] ?? '', 0);
    expect(stdout).toContain('completed released');
    const lines = readFileSync(join(home, 'sessions', '42.jsonl'), 'utf8').trim().split('\n');
    expect(lines.at(-1)).toMatch(/^\{"\$attempt":\d+,"role":"assistant"/);
    expect(existsSync(join(home, 'sessions', '42.jsonl.lock'))).toBe(false);
  });

  it('the first snippet, interrupted, ends as it says and leaves no lock', async () => {
    writeFileSync(join(home, 'interrupted.mjs'), (snippets[0] ?? '').replace('sleep(500,', 'sleep(60_000,'));
    const child = spawn(process.execPath, ['interrupted.mjs'], { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    const said = text(child.stdout);
    await vi.waitFor(() => expect(existsSync(join(home, 'sessions', '42.jsonl.lock'))).toBe(true), 20_000);
    child.kill('SIGINT');
    expect(await said).toBe('aborted released\n');
    expect(existsSync(join(home, 'sessions', '42.jsonl.lock'))).toBe(false);
  });

  it('a snippet that throws would be noticed', () => {
    expect(run('throw new Error("seeded")', 99).status).not.toBe(0);
  });

  it('every link leads to a file that is there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)|src="([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? '');
    expect(links.length).toBeGreaterThan(2);
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });

  it('names every error code, and no other', () => {
    const source = readFileSync(join(root, 'src/errors.ts'), 'utf8');
    const type = source.slice(source.indexOf('export type AttemptErrorCode'));
    const codes = [...type.slice(0, type.indexOf(';')).matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
    const section = readme.slice(readme.indexOf('## Errors'), readme.indexOf('## Words'));
    const named = [...section.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code);
    expect([...new Set(named)].sort()).toEqual([...new Set(codes)].sort());
  });

  it('names every option, and no other', () => {
    const source = readFileSync(join(root, 'src/option-checks.ts'), 'utf8');
    const known = source.slice(source.indexOf('const KNOWN'), source.indexOf('];', source.indexOf('const KNOWN')));
    const options = [...known.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    const table = readme.slice(readme.indexOf('## Options and budgets'), readme.indexOf('`localFileLocks({'));
    const first = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => [...(cell ?? '').matchAll(/`(\w+)`/g)]);
    expect(first.map(([, name]) => name).sort()).toEqual(options.sort());
  });
});
