/** attempt-lifecycle/postgres: exports only. */
export { postgresLocks, type PostgresLocksOptions } from './postgres-locks.js';
export { migrate, migrationSql, type MigrateOptions } from './migrate.js';
export { postgresSession, type PostgresSessionOptions } from './postgres-session.js';
export { fence, type FencedBy, type FenceOptions } from './fence.js';
export type { ListeningClient, PostgresClient } from './client.js';
export type { EngineRecords } from '../engine/record-queue.js';
