// How the tests run under Stryker: one worker, cheapest files first. Which of them run is said by parts.mjs.
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { FIRST, isShared } from './parts.mjs';

class CheapestFirst extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => {
      const at = FIRST.findIndex((one) => moduleId.includes(`/test/${one}`));
      return at < 0 ? FIRST.length : at;
    };
    return [...files].sort((a, b) => rank(a) - rank(b));
  }
}

const { tests, isolate, testMs } = JSON.parse(process.env.ATTEMPT_MUTANTS);
const project = (name, include, alone) => (include.length === 0 ? [] : [{ extends: true, test: { name, include, isolate: alone } }]);

export default defineConfig({
  test: {
    maxWorkers: 1,
    testTimeout: testMs,
    hookTimeout: testMs,
    sequence: { sequencer: CheapestFirst },
    projects: [
      ...project('shared', tests.filter(isShared), isolate),
      ...project('alone', tests.filter((test) => !isShared(test)), true),
    ],
  },
});
