/**
 * Redis Cluster: all keys of a session in one slot, scripts on its node, waiters that poll.
 */
import { randomUUID } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startRedis, type Server } from '../../../src/bench/engine-servers.js';
import { redisLocks } from '../../../src/locks/redis/index.js';
import { keysOf } from '../../../src/locks/redis/keys.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { someOf } from '../../support/depth.js';
import { describeWith } from '../../support/servers.js';
import { become } from '../fleets/bed.js';

describeWith(['redis'], 'redisLocks in a cluster', () => {
  let server: Server | null = null;
  let node: Redis;
  let cluster: Cluster;
  beforeAll(async () => {
    const [port, bus] = [await freePort(), await freePort()]; // a cluster has to know its own address
    server = await startRedis({ port, more: { 'cluster-enabled': 'yes', 'cluster-port': String(bus), 'cluster-announce-ip': '127.0.0.1' } });
    node = new Redis({ path: server?.socket ?? '' });
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await become('the cluster is up', async () => String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    cluster = new Cluster([{ host: '127.0.0.1', port }]);
  });
  afterAll(async () => {
    cluster.disconnect();
    node.disconnect();
    await server?.remove();
  });

  test('the keys of a session share a slot, whatever its name', async () => {
    for (const session of ['key', '}', '{', 'a}b', '{}', '%7D', 'é']) {
      const slots = await Promise.all(Object.values(keysOf('attempt', session)).map((key) => node.call('CLUSTER', 'KEYSLOT', `${key}owner`)));
      expect(new Set(slots).size, session).toBe(1);
    }
    expect(new Set(['}', '%7D', '{', 'a'].map((one) => keysOf('attempt', one).lock)).size).toBe(4);
  });

  const cases = lockStoreContract(() => ({ store: redisLocks(cluster), session: `key ${randomUUID()}` }));
  test.each(someOf('cases of the contract', cases, 6).map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
  });
});
