/**
 * How `npm test` runs: a process for each test file costs half a second of a core, so files share processes, one after
 * another: those in which every test leaves nothing behind (support/scene.ts), and those that crash or abandon attempts on
 * purpose, which then stay in the register of their process. What replaces modules, or shows all that its process holds,
 * has a process for each file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const inFolders = (...folders: string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`);
const replacesModules = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('vi.mock('));

const alone = [...replacesModules, ...inFolders('inspector', 'seeded')];
const untidy = inFolders('crowd', 'kit', 'properties', 'schedules', 'simulate');

export default defineConfig({
  test: {
    // Here and not as options of the command: those do not reach the projects.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'tidy', include: ['test/**/*.test.ts'], exclude: [...alone, ...untidy], isolate: false } },
      { extends: true, test: { name: 'untidy', include: untidy, exclude: alone, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
