/**
 * The contract of a lock store on a real Redis, through both clients.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LockStore } from '../../../src/locks/lock-store.js';
import { redisLocks } from '../../../src/locks/redis/redis-locks.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { describeWith, useRedis } from '../../support/servers.js';
import { doneElsewhere } from '../fleets/elsewhere.js';

describeWith(['redis'], 'redisLocks', () => {
  const redis = useRedis();
  doneElsewhere(async (leaseMs = 10_000) =>
    [redisLocks(redis().ioredis(), { leaseMs }), redisLocks(await redis().nodeRedis(), { leaseMs })]);

  const made: Record<string, () => Promise<LockStore>> = {
    ioredis: async () => redisLocks(redis().ioredis()),
    'ioredis with a key prefix': async () => redisLocks(redis().ioredis({ keyPrefix: 'app:' })),
    'node-redis': async () => redisLocks(await redis().nodeRedis()),
  };

  describe.each(Object.entries(made))('%s', (_name, make) => {
    const cases = lockStoreContract(async () => ({ store: await make(), session: `a {key} ${randomUUID()}` }));
    test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
      expect(await one.run()).toBe('kept');
    });
  });
});

/** Any server the user has: `ATTEMPT_REDIS_URL=redis://... npm test`. Writes keys with the prefix `attempt`. */
const url = process.env['ATTEMPT_REDIS_URL'] ?? '';
describe.skipIf(url === '')('redisLocks on ATTEMPT_REDIS_URL', () => {
  let client: Redis;
  beforeAll(() => { client = new Redis(url); });
  afterAll(() => client.disconnect());
  const cases = lockStoreContract(() => ({ store: redisLocks(client), session: `test of attempt-lifecycle ${randomUUID()}` }));
  test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
  });
});
