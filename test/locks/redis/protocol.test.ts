/**
 * The scripts of a Redis lock, one by one.
 */
import { systemClock } from '../../../src/clock.js';
import { Commands } from '../../../src/locks/redis/client.js';
import { RedisEngine } from '../../../src/locks/redis/redis-engine.js';
import { describeWith, useRedis } from '../../support/servers.js';
import { stepsOf } from '../fleets/protocol.js';

describeWith(['redis'], 'the steps of Redis', () => {
  const redis = useRedis();
  stepsOf(() => new RedisEngine(new Commands(redis().ioredis({ keyPrefix: 'app:' })), 'attempt', systemClock));
});
