/** The table over faulty machines: some cell or report has to be wrong in each. */
import { afterAll, describe, expect, test } from 'vitest';
import { someOf } from '../support/depth.js';
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import { mutants, onlyTheTableTells, unmutated } from './mutants.js';
import { checkRow } from './play.js';
import { checkReports } from './reports.js';
import { table } from './table.js';

const cellsWrong = (machine: AttemptMachine): string[] => {
  const rows = Object.keys(table).flatMap((state) => checkRow(machine, state));
  return [...rows, ...checkReports(machine)].map(({ where }) => where);
};

describe('the table finds faulty machines', () => {
  const kills: string[] = [];

  test('ours, put together as they are, is not one of them', () => expect(cellsWrong(unmutated)).toEqual([]));

  for (const { name, machine } of someOf('faulty machines to be found by the table', mutants, 8)) {
    test(name, () => {
      const cells = cellsWrong(machine);
      expect(cells.length, 'a mutant that survives the table').toBeGreaterThan(0);
      kills.push(`${name}: ${cells.length} cells, first ${cells[0]}`);
    });
  }
  test('those it alone can tell exist', () => {
    for (const name of onlyTheTableTells) expect(mutants.map((mutant) => mutant.name)).toContain(name);
  });

  afterAll(() => console.log(`What the table found first in each mutant:\n  ${kills.join('\n  ')}`));
});
