/**
 * How `npm test` runs: a process for each test file costs half a second of a core. Files that are pure, or in which
 * every test is held to leave nothing behind (support/scene.ts), share their processes, file after file. All others
 * get one each: what starts processes or replaces modules, and what crashes or abandons attempts on purpose, which
 * then stay in the register of their process (kit, simulate, schedules, properties).
 */
import { defineConfig } from 'vitest/config';

const shared = ['attempts', 'driver', 'incidents', 'machine', 'model', 'session'].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: shared } },
    ],
  },
});
