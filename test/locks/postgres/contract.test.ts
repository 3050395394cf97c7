/**
 * The contract of a lock store on a real PostgreSQL, through a pool, through one client, and by polling alone.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import type { LockStore } from '../../../src/locks/lock-store.js';
import { migrate } from '../../../src/locks/postgres/migrate.js';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { describeWith, usePostgres } from '../../support/servers.js';
import { doneElsewhere } from '../fleets/elsewhere.js';

describeWith(['postgres'], 'postgresLocks', () => {
  const postgres = usePostgres();
  doneElsewhere(async (leaseMs = 10_000) => [postgresLocks(postgres().pool(), { leaseMs }), postgresLocks(postgres().pool(), { leaseMs })]);

  describe('without LISTEN', () => {
    const made = (leaseMs: number) => postgresLocks(postgres().pool(), { listen: false, leaseMs });
    doneElsewhere(async (leaseMs = 3_000) => [made(leaseMs), made(leaseMs)], 'by renewal');
  });

  const made: Record<string, () => Promise<LockStore>> = {
    'a pool': async () => postgresLocks(postgres().pool()),
    'one client, without LISTEN': async () => postgresLocks(await postgres().client(), { listen: false }),
  };

  describe.each(Object.entries(made))('%s', (_name, make) => {
    const cases = lockStoreContract(async () => ({ store: await make(), session: `a key ${randomUUID()}` }));
    test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
      expect(await one.run()).toBe('kept');
    });
  });
});

/** Any server the user has: `ATTEMPT_POSTGRES_URL=postgres://... npm test`. Makes the schema `attempt` there. */
const url = process.env['ATTEMPT_POSTGRES_URL'];
describe.skipIf(!url)('postgresLocks on ATTEMPT_POSTGRES_URL', () => {
  const pool = new pg.Pool({ connectionString: url });
  afterAll(() => pool.end());
  const cases = lockStoreContract(async () => {
    await migrate(pool);
    return { store: postgresLocks(pool), session: `test of attempt-lifecycle ${randomUUID()}` };
  });
  test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
  });
});
