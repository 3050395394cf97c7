/** The machine against the table of SPEC section 3, cell by cell; and that the table leaves nothing out. */
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { eventTypes, inputOf, sampleOf, wayTo } from './cases.js';
import { checkRow, play, playOne } from './play.js';
import { checkReports, reports } from './reports.js';
import { table } from './table.js';

const leaves = Object.values(attemptMachine.root.states).flatMap(function leavesOf(node): string[] {
  const below = Object.values(node.states);
  return below.length ? below.flatMap(leavesOf) : [node.path.join('.')];
});

describe('the table is complete', () => {
  test('every state of the machine has a row, and no row is without a state', () => {
    expect(Object.keys(table).sort()).toEqual([...leaves].sort());
  });

  test('every event the machine knows has a cell in every row', () => {
    const known = new Set<string>(eventTypes);
    for (const type of attemptMachine.events.filter((name) => !name.includes('*') && !name.startsWith('xstate.'))) {
      expect(known, type).toContain(type);
    }
    for (const [state, { on }] of Object.entries(table)) {
      expect(eventTypes.filter((type) => on[type] === undefined), state).toEqual([]);
    }
  });

  test('every timer that runs in a state has a cell there', () => {
    for (const [state, { timers, after }] of Object.entries(table)) {
      // Those with an id have an event of their own (`work.idled`, `work.overran`), a cell like the others.
      const unnamed = timers.filter((name) => !['idle', 'run', 'grace'].includes(name));
      expect(Object.keys(after).sort(), state).toEqual([...unnamed].sort());
    }
  });
});

describe('S8 S9 S11 S12 S14 S18: every cell is kept', () => {
  for (const state of Object.keys(table)) {
    test(state, () => expect(checkRow(attemptMachine, state)).toEqual([]));
  }
});

describe('S8 S9 S14 S18, M01 to M18: what is reported', () => {
  const wrong = new Map(checkReports(attemptMachine).map((mismatch) => [mismatch.where, mismatch]));
  for (const { when } of reports) test(when, () => expect(wrong.get(when)).toBeUndefined());
});

test('S8: nothing that comes after the end changes the report or names a command', () => {
  const ended = play(attemptMachine, inputOf({}), wayTo('released', {}));
  for (const type of eventTypes) {
    const after = playOne(attemptMachine, ended, sampleOf(type, 1));
    expect(after.snapshot.output, type).toEqual(ended.snapshot.output);
    expect(after.commands, type).toEqual([]);
  }
});
