/** Where the locks of files lie, in one word: whoever is told the word finds the same locks. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { directoryOf, wordOf } from '../../../src/locks/file/kept-in.js';

test('the word for locks beside the session names no directory', () => {
  expect(wordOf(undefined)).toBe('files');
  expect(directoryOf('files')).toBeUndefined();
});

test('the word for a directory names it from wherever it is read: as a whole path', () => {
  expect(wordOf('some/locks')).toBe(`files:${resolve('some/locks')}`);
  expect(directoryOf(wordOf('some/locks'))).toBe(resolve('some/locks'));
});

test.each(['files:', 'postgres://host/db', 'memory', '', 'files-of-ours'])('locks are kept in no directory by the word %j', (word) => {
  expect(directoryOf(word)).toBeNull();
});
