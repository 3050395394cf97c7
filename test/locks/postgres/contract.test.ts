/**
 * The contract of a lock store on a real PostgreSQL, through a pool, through one client, and by polling alone.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { LockStore } from '../../../src/locks/lock-store.js';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { describeWith, usePostgres } from '../../support/servers.js';

describeWith(['postgres'], 'postgresLocks', () => {
  const postgres = usePostgres();
  const made: Record<string, () => Promise<LockStore>> = {
    'a pool': async () => postgresLocks(postgres().pool()),
    'one client': async () => postgresLocks(await postgres().client()),
    'a pool, without LISTEN': async () => postgresLocks(postgres().pool(), { listen: false }),
  };

  describe.each(Object.entries(made))('%s', (_name, make) => {
    const cases = lockStoreContract(async () => ({ store: await make(), session: `a key ${randomUUID()}` }));
    test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
      expect(await one.run()).toBe('kept');
    });
  });
});
