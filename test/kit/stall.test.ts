/**
 * M11: the whole process stands still for longer than a lease. Real locks, real time, one sequence each.
 */
import { describe, expect, test } from 'vitest';
import { checkRunner, type MakePort } from '../../src/testing/index.js';
import { makePort as bareLoop } from './examples/bare-proper-lockfile.js';
import { EXPECTED } from './examples/expected.js';
import { makePort as ours } from './examples/ours-on-files.js';

const replay = 'M11: START GRANTED RUN STALL MUST(fenced) SETTLED(ok)';

describe('M11: a holder that stood still past its lease', () => {
  test.each<[string, MakePort]>([
    ['bare-proper-lockfile', bareLoop],
    ['ours-on-files', ours],
  ])(
    '%s',
    async (name, makePort) => {
      const result = await checkRunner(makePort, { replay });
      const breaks = EXPECTED.find((one) => one.name === name)?.breaks.includes('M11');
      expect(result.modes[0]?.status, result.toText()).toBe(breaks ? 'breaks' : 'holds');
      expect(result.strayRejections).toEqual([]);
    },
    60_000,
  );
});
