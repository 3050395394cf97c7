/**
 * Records in a Redis stream, and what is left in Redis at rest.
 */
import { describe, expect, test } from 'vitest';
import { redisLocks, redisSession } from '../../../src/locks/redis/index.js';
import { keysOf } from '../../../src/locks/redis/keys.js';
import { describeWith, useRedis } from '../../support/servers.js';
import { become } from '../fleets/bed.js';
import { granted } from '../fleets/faults.js';
import { recordsInAnEngine } from '../fleets/records.js';

describeWith(['redis'], 'Redis', () => {
  const redis = useRedis();
  const clients: Record<string, () => Promise<Parameters<typeof redisLocks>[0]>> = {
    ioredis: async () => redis().ioredis(), 'node-redis': () => redis().nodeRedis(),
  };
  describe.each(Object.entries(clients))('%s', (_name, connect) => {
    recordsInAnEngine(async () => {
      const client = await connect();
      return { locks: redisLocks(client), records: redisSession(client) };
    });
  });

  test('L5: at rest no connection of ours is left but the caller\'s, and only the session\'s own keys', async () => {
    const client = redis().ioredis();
    const locks = redisLocks(client, { prefix: 'rest' });
    const clientsNow = async () => String(await client.client('LIST')).trim().split('\n').length;
    const before = await clientsNow();
    const lease = await granted(locks, 'key', 'holder');
    const waiting = granted(locks, 'key', 'waiter', 30_000);
    await become('one blocks', async () => await clientsNow() > before);
    await lease.release();
    await (await waiting).release();
    await become('none blocks', async () => await clientsNow() === before);
    expect(await client.keys('rest:*')).toEqual([keysOf('rest', 'key').lock]);
  });

  test('options that cannot be are refused', () => {
    const client = redis().ioredis();
    const bad: (() => unknown)[] = [
      () => redisLocks({} as never), () => redisLocks(client, { leaseMs: 10 }), () => redisLocks(client, { prefix: 'a{b' }),
      () => redisSession(null as never),
    ];
    for (const make of bad) expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
