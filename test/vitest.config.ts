/**
 * How `npm test` runs: a process for each test file costs half a second of a core, and most files leave nothing
 * behind that another could trip over (each test checks that). Those share their processes, file after file. What
 * starts processes, replaces modules, or looks at its whole process gets one to itself.
 */
import { defineConfig } from 'vitest/config';

const SHARING = ['attempts', 'incidents', 'kit', 'machine', 'model', 'properties', 'schedules', 'session', 'simulate'];
const shared = [...SHARING.map((folder) => `test/${folder}/**/*.test.ts`), 'test/seeded/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: shared } },
    ],
  },
});
