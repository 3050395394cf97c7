/** A misspelt option would be as if it had not been given: a lock in another directory than meant is no lock. */
import { expect, test } from 'vitest';
import { diagnose, fromAcquire, localFileLocks, memoryLocks, runAttempt, stopAttempt } from '../../src/index.js';
import { inspectAttempts } from '../../src/inspector/index.js';

const section = (options: object): Promise<unknown> => runAttempt({
  session: 's', locks: memoryLocks(), records: 'none', work: ({ section: within }) => within('one', () => 1, options),
}).then(({ error }) => Promise.reject(error as Error));

test.each<[string, (options: object) => unknown, string, string]>([
  ['localFileLocks', (options) => localFileLocks(options), 'dir', 'did you mean directory?'],
  ['localFileLocks', (options) => localFileLocks(options), 'lease', 'did you mean leaseMs?'],
  ['localFileLocks', (options) => localFileLocks(options), 'x', 'known are leaseMs, directory, unsafeFilesystem'],
  ['fromAcquire', (options) => fromAcquire(async () => null, options), 'releasems', 'did you mean releaseMs?'],
  ['diagnose', (options) => diagnose('/', options), 'dir', 'did you mean directory?'],
  ['stopAttempt', (options) => stopAttempt('s', options), 'within', 'did you mean withinMs?'],
  ['inspectAttempts', (options) => inspectAttempts(options), 'dirs', 'known are directories, directory'],
  ['section', section, 'gracems', 'did you mean graceMs?'],
])('%s refuses what it does not know', async (_what, call, key, hint) => {
  await expect((async () => call({ [key]: 5 }))()).rejects.toMatchObject({
    code: 'CONFIG_INVALID', message: expect.stringContaining(`${key}: there is no such option; ${hint}`),
  });
});
