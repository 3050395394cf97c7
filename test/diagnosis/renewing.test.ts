/**
 * A holder renews its lease, by a new name, while it is being looked at: it is named all the same.
 */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attemptNames } from '../../src/cli/attempt-names.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { aside, withSteps } from '../support/fs-steps.js';
import { directory, plant } from './planted.js';

vi.mock('node:fs', async (original) => (await import('../support/fs-steps.js')).stepped(await original<object>()));

let dir: string;
let session: string;
beforeEach(() => {
  dir = directory();
  session = join(dir, 's');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Renews just before the owner file is opened for the first time, after its name was read. */
function renewedMeanwhile<T>(look: () => T): T {
  let entry = plant(session);
  let renewals = 0;
  const { result, error } = withSteps((name, _, [path]) => {
    if (name !== 'openSync' || path !== entry || renewals > 0) return;
    renewals += 1;
    aside(() => renameSync(entry, entry = entry.replace(/owner\.7\.\d/, (start) => `${start.slice(0, -1)}2`)));
  }, look);
  expect({ error, renewals }).toEqual({ error: null, renewals: 1 });
  return result as T;
}

test('M22: status names a holder that renews meanwhile', async () => {
  const [status] = await renewedMeanwhile(() => localFileLocks().query(session));
  expect(status?.holder).toMatchObject({ attemptId: 'planted', token: 7 });
});

test('M22: log names a holder that renews meanwhile', () => {
  expect([...renewedMeanwhile(() => attemptNames(session, undefined))]).toEqual([[7, 'planted']]);
});

test('M22: a diagnosis names a holder that renews meanwhile, and does not call it corrupt', async () => {
  const [diagnosis] = await renewedMeanwhile(() => diagnose(session));
  expect(diagnosis).toMatchObject({ condition: 'healthy', holder: { attemptId: 'planted' } });
});
