// Runs the model with options: --sequences N (default 10000), --seed N (default: a new one), --bug "name" (must fail).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { sequences: { type: 'string' }, seed: { type: 'string' }, bug: { type: 'string' } },
});
const env = { ...process.env };
for (const [name, value] of Object.entries(values)) env[`MODEL_${name.toUpperCase()}`] = value;
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', '--dir', 'test/model', ...(values.bug ? ['-t', 'agree'] : [])], {
  cwd: root, env, stdio: 'inherit',
});
process.exitCode = status ?? 1;
