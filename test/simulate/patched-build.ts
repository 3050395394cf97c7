/**
 * A copy of the build with one seeded bug in it, so that a suite can show that it would notice.
 * Owns: copying, editing, removing. An edit that does not apply to exactly one place fails loudly.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One edit of a compiled file: what is there, and what stands there instead. */
export interface Bug { readonly file: string; readonly is: string; readonly becomes: string }

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds what is out of date; `npm test` has done so before. */
export function build(): void {
  const { status } = spawnSync(process.execPath, [join(root, '.ci/prepare.mjs')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}

/** Calls `use` with a way to import from a build that has this bug. */
export async function withBug<T>(bug: Bug | null, use: (load: (file: string) => Promise<never>) => Promise<T>): Promise<T> {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-bug-')));
  try {
    cpSync(join(root, 'dist'), copy, { recursive: true, filter: (from) => !/\.(map|d\.ts)$/.test(from) });
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
    symlinkSync(realpathSync(join(root, 'node_modules')), join(copy, 'node_modules'), 'junction');
    if (bug) edit(join(copy, bug.file), bug);
    const load = createRequire(join(copy, 'package.json')); // vitest's own import would transform every file of every copy
    return await use(async (file) => load(`./${file}`) as never);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function edit(file: string, { is, becomes }: Bug): void {
  const source = readFileSync(file, 'utf8');
  const places = source.split(is).length - 1;
  if (places !== 1) throw new Error(`a bug must apply in one place: "${is}" is there ${places} times in ${file}`);
  writeFileSync(file, source.replace(is, () => becomes));
}
