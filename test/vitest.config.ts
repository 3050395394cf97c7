/**
 * How tests run. `npm test` is what needs nothing but Node, and the contract of each lock; `npm run test:real` (mode `real`)
 * is what drives other people's programs: engines that are killed and cut off, clocks that step, a browser, npm. `.ci/run` runs both.
 *
 * A process for each test file costs half a second of a core, so files share processes, one after another: those in which
 * every test leaves nothing behind (support/scene.ts), and those that crash or abandon attempts on purpose, which then stay
 * in the register of their process. What replaces modules, or shows all that its process holds, has a process for each file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const inFolders = (...folders: string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`);
const all = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file.replaceAll('\\', '/')}`).filter((file) => file.endsWith('.test.ts'));

const REAL = [
  /locks\/(postgres|redis)\/(?!contract)/, /fleets\/fleet/, /bullmq/, /cli\/store/, /package\/pack/, /faults\/(clocks|steps|pids|checker|sweep)/,
  /inspector\/page/, /locks\/file\/(races|stopped|owners|failing-for-long)/, /cli\/run-lease/, /demo\/demo/,
];
const real = all.filter((file) => REAL.some((one) => one.test(file)));
const replacesModules = all.filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));

const alone = [...replacesModules, ...inFolders('inspector', 'seeded')];
const untidy = inFolders('crowd', 'kit', 'properties', 'schedules', 'simulate');

export default defineConfig(({ mode }) => {
  const others = mode === 'real' ? all.filter((file) => !real.includes(file)) : real;
  const said = process.env['ATTEMPT_LEFT_OUT']; // read once for each project, and once for all
  process.env['ATTEMPT_LEFT_OUT'] = 'said';
  if (mode !== 'real' && said === undefined) {
    const what = 'engines that fail, other clocks, leases that end in real time, a browser, the demonstration, the packed package';
    console.warn(`LEFT OUT: ${real.length} files with ${what}: npm run test:real`);
  }
  return {
    test: {
      // Here and not as options of the command: those do not reach the projects.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      projects: [
        { extends: true, test: { name: 'tidy', include: all, exclude: [...alone, ...untidy, ...others], isolate: false } },
        { extends: true, test: { name: 'untidy', include: untidy, exclude: [...alone, ...others], isolate: false } },
        { extends: true, test: { name: 'alone', include: alone, exclude: others } },
      ],
    },
  };
});
