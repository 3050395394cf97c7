// Makes the command of one piece: dist/src/cli/main.js and all it uses become a few CommonJS files in dist/bin, because
// loading about a hundred small ES modules costs more than everything `attempt run` then does. What a subcommand alone
// needs is a file of its own, loaded when it is used. The library's files stay as they are.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'dist', 'bin');

/** proper-lockfile's default `fs`, which we never use (it gets ours): not worth five milliseconds at each start. */
const withoutGracefulFs = {
  name: 'without-graceful-fs',
  resolveId: (id) => (id === 'graceful-fs' ? { id: 'node:fs', external: true } : null),
};

/** What the licences of the packages inside ask for: their names, versions and texts. */
function licences(modules) {
  const homes = new Set(modules.flatMap((module) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module.replaceAll('\\', '/')) ?? []));
  return [...homes].sort().map((home) => {
    const { name, version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const file = readdirSync(home).find((entry) => /^licen[sc]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(home, file), 'utf8').trim() : ''}\n`;
  }).join(`\n${'-'.repeat(80)}\n\n`);
}

if (existsSync(bin)) rmSync(bin, { recursive: true });
const bundle = await rolldown({
  input: { attempt: join(root, 'dist', 'src', 'cli', 'main.js') },
  platform: 'node',
  external: ['pg', 'ioredis', 'redis'], // the user's to install, loaded when `--store` names one
  plugins: [withoutGracefulFs],
});
const { output } = await bundle.write({
  dir: bin, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs', comments: false,
});
await bundle.close();
chmodSync(join(bin, 'attempt.cjs'), 0o755); // as npm does to what `bin` names
const text = licences(output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])));
writeFileSync(join(bin, 'LICENSES.txt'), `The files of the command contain parts of these packages.\n\n${text}`);
