// Makes a checkout runnable: installs what is missing and builds what is out of date. Nothing else.
// Runs before every npm script that needs it, so that a fresh clone works with only Node and git.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`attempt-lifecycle needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

function run(what, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (status === 0) return;
  console.error(`${what} failed: ${command} ${args.join(' ')} ${error ? `(${error.message})` : `ended with ${status}`}`);
  process.exit(1);
}

// npm writes this file last, with what it installed: the one sign that an install went through.
const installed = at('node_modules', '.package-lock.json');
const wanted = at('package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  // npm ci begins by emptying the directory; behind a link that is somebody else's.
  if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error('node_modules is a link and out of date: install where it leads to, or remove the link.');
    process.exit(1);
  }
  console.error('Installing dependencies (once) ...');
  run('Installing', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* files(join(dir, entry.name));
    else yield join(dir, entry.name);
  }
}

// What the build was made from: names and times of every source. A removed source must not live on in dist.
const sources = [at('tsconfig.json'), at('package.json'), at('.ci', 'bundle.mjs'), ...files(at('machines')), ...files(at('src'))];
const stamp = sources.map((file) => `${file.slice(root.length)} ${statSync(file).mtimeMs}`).sort().join('\n');
const stampFile = at('dist', '.built-from');
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  rmSync(at('dist'), { recursive: true, force: true });
  run('Building', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('tsconfig.json')]);
  run('Bundling the command', process.execPath, [at('.ci', 'bundle.mjs')]);
  writeFileSync(stampFile, stamp);
}
