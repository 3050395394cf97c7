/**
 * Redis that fails, and the way to it.
 */
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { createClient } from 'redis';
import { redisLocks } from '../../../src/locks/redis/redis-locks.js';
import { redisSession } from '../../../src/locks/redis/redis-session.js';
import type { Proxy } from '../../support/proxy.js';
import { describeWith, useRedis } from '../../support/servers.js';
import { type EngineUnderTest } from '../fleets/bed.js';
import { faultsOfTheServer, faultsOnTheWay } from '../fleets/faults.js';

const questions = { acquire: /EVALSHA/, release: /EVALSHA/, write: /EVALSHA/ };

const onIoredis = (socket: string): EngineUnderTest => ({
  socket, questions,
  async connect(proxy: Proxy, leaseMs: number) {
    const client = new Redis({ host: '127.0.0.1', port: proxy.port, retryStrategy: () => 30 });
    client.on('error', () => {});
    return { locks: redisLocks(client, { leaseMs }), records: redisSession(client), end: async () => client.disconnect() };
  },
});

const onNodeRedis = (socket: string): EngineUnderTest => ({
  socket, questions,
  async connect(proxy: Proxy, leaseMs: number) {
    const client = createClient({ socket: { host: '127.0.0.1', port: proxy.port, reconnectStrategy: () => 30 } });
    client.on('error', () => {});
    await client.connect();
    return { locks: redisLocks(client, { leaseMs }), records: redisSession(client), end: async () => client.destroy() };
  },
});

describeWith(['redis'], 'Redis that fails', () => {
  const redis = useRedis({ keeps: true });
  const socket = (): string => redis().server.socket;

  describe.concurrent('the way to it, ioredis', () => faultsOnTheWay(() => onIoredis(socket())));
  describe.concurrent('the way to it, node-redis', () => faultsOnTheWay(() => onNodeRedis(socket())));
  describe('the server', () => faultsOfTheServer(() => onIoredis(socket()), () => redis().server));
});
