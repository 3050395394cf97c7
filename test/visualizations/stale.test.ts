/**
 * The committed pictures are the ones the machine gives today.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { withStates } from '../../src/visualize/play.js';
import { picturesOf } from '../../src/visualize/pictures.js';

const folder = new URL('../../visualizations/', import.meta.url);
const fresh = picturesOf(attemptMachine);
const advice = 'The machine or its drawing has changed: '
  + 'run `npm run visualize`, look at the picture, and commit it.';

/** A checkout on Windows may have turned line ends around; that is not staleness. */
const committed = (name: string): string =>
  readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n');

describe('visualizations/ is what `npm run visualize` makes', () => {
  test.each(Object.keys(fresh))('%s is up to date', (name) => {
    // Compared as a yes or no: a diff of two whole pictures would bury the advice.
    expect(committed(name) === fresh[name], `visualizations/${name} is stale. ${advice}`).toBe(true);
  });

  test('nothing else lies there', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(fresh).sort());
  });

  test('drawing again gives the same bytes', () => {
    expect(picturesOf(attemptMachine)).toEqual(fresh);
  });

  test('a changed machine would be noticed in every file', () => {
    // Every strip and both texts pass through these two; an incident's bug may have rewritten one of them.
    const exit = 'closeWriter';
    const changed = withStates(attemptMachine, ({ acquiring, ...states }) =>
      ({ ...states, acquiring: { ...acquiring, entry: [...acquiring.entry, 'openSession'], exit } }));
    const pictures = picturesOf(changed);
    expect(Object.keys(fresh).filter((name) => pictures[name] === fresh[name])).toEqual([]);
  });
});
