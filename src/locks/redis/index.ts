/** attempt-lifecycle/redis: exports only. */
export { redisLocks, type RedisLocksOptions } from './redis-locks.js';
export { redisSession, type RedisSessionOptions } from './redis-session.js';
export type { RedisClient } from './client.js';
export type { EngineRecords } from '../engine/record-queue.js';
