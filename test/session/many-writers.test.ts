/** Several real processes on one session, through our own append, built into a scratch directory first. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { useScratch } from './support.js';

const scratch = useScratch();
const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = fileURLToPath(new URL('fixtures/append-many.mjs', import.meta.url));

interface Result { pid: number; acknowledged: number; refused: Record<string, number> }

/** Built from the sources as they are, not from whatever stands in dist. */
function buildRecords(): string {
  const out = scratch.path('built');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [
    tsc, '--outDir', out, '--rootDir', root, '--module', 'nodenext', '--target', 'es2022',
    '--skipLibCheck', '--types', 'node',
    '--typeRoots', join(root, 'node_modules', '@types'), '--ignoreConfig', join(root, 'src/session/file-records.ts'),
  ], { cwd: root, encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  return join(out, 'src/session/file-records.js');
}

/** Starts one writer per token, lets them go when all are ready, and returns what each was acknowledged. */
async function race(
  module: string, session: string, tokens: number[], count: number, bytes: number,
): Promise<Result[]> {
  const writers = tokens.map((token) => {
    const args = [fixture, module, session, String(token), String(count), String(bytes)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => String((await lines.next()).value);
    return { child, exit: once(child, 'exit'), line };
  });
  try {
    for (const writer of writers) expect(await writer.line()).toBe('ready');
    for (const writer of writers) writer.child.stdin.write('go\n');
    const results = await Promise.all(writers.map(async (writer) => JSON.parse(await writer.line()) as Result));
    await Promise.all(writers.map((writer) => writer.exit));
    return results;
  } finally {
    for (const writer of writers) writer.child.kill('SIGKILL'); // only what a failure left running
  }
}

describe('processes on one file', () => {
  it('S15: four processes of one token, no torn line, nothing lost', { timeout: 60_000 }, async () => {
    const module = buildRecords();
    const session = scratch.path('s.jsonl');
    const results = await race(module, session, [7, 7, 7, 7], 1_000, 20_000);
    const { records, discarded, torn } = await readSession(session);
    expect({ discarded, torn }).toEqual({ discarded: 0, torn: [] });
    for (const { pid, acknowledged, refused } of results) {
      expect({ acknowledged, refused }).toEqual({ acknowledged: 1_000, refused: {} });
      const mine = records.map(({ record }) => record as { by: number; n: number }).filter(({ by }) => by === pid);
      expect(mine.map(({ n }) => n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    }
  });

  it('S4, S17: four processes of four tokens: the lower are fenced or left out, and every one is counted',
    { timeout: 60_000 }, async () => {
      const module = buildRecords();
      const session = scratch.path('s.jsonl');
      const results = await race(module, session, [4, 5, 6, 7], 1_000, 200);
      const { records, torn } = await readSession(session);
      expect(torn).toEqual([]);
      const tokens = records.map(({ token }) => token ?? 0);
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0);
      expect(records).toHaveLength(acknowledged); // what is left out was not acknowledged
      expect(tokens.filter((token) => token === 7)).toHaveLength(1_000);
      const codes = results.flatMap(({ refused }) => Object.keys(refused));
      expect(codes.filter((code) => code !== 'WRITE_FENCED')).toEqual([]);
    });
});
