/** What an error of the system is made of for who reads it: where one may not write there is another way, elsewhere not. */
import { expect, test } from 'vitest';
import { withWayOn } from '../../../src/locks/file/errno.js';

const failed = (code?: string): Error => Object.assign(new Error('it failed'), code === undefined ? {} : { code });

test.each(['EACCES', 'EPERM', 'EROFS'])('%s says where locks can be kept, and is still told by its code', (code) => {
  const error = failed(code);
  const told = withWayOn(error) as Error;
  expect(told).toMatchObject({ code, cause: error, message: expect.stringContaining('it failed') });
  expect(told.message.length).toBeGreaterThan(error.message.length);
});

test.each([failed('ENOSPC'), failed(), new Error('EACCES'), 'EACCES'])('%s is told as it came', (error) => {
  expect(withWayOn(error)).toBe(error);
});

test('what is no error stays what it is', () => {
  for (const thrown of [undefined, null, 'words', new Error('no code')]) expect(withWayOn(thrown)).toBe(thrown);
});
