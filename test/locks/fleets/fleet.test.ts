/**
 * Fleets of real processes with random kills and stops: nothing acknowledged is lost, nothing is doubled, nobody overlaps.
 */
import { expect, test } from 'vitest';
import { postgresSession } from '../../../src/locks/postgres/index.js';
import { redisSession } from '../../../src/locks/redis/index.js';
import { isDeep } from '../../support/depth.js';
import { describeWith, usePostgres, useRedis } from '../../support/servers.js';
import { runFleet, type FleetResult } from './fleet.js';

const SIZE = isDeep ? { workers: 50, sessions: 200, together: 3, attempts: 10_000, crashes: 60, leaseMs: 3_000 }
  : { workers: 2, sessions: 6, together: 3, attempts: 60, crashes: 2, leaseMs: 600 };
if (!isDeep) console.warn(`ONLY fleets of ${SIZE.workers} workers; of 50 with 200 sessions: npm run test:deep`);

function judged(engine: string, result: FleetResult): void {
  const { violations, waitedMs: { median, p90, p99, max }, ...facts } = result;
  const waited = Object.entries({ median, p90, p99, max }).map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(', ');
  console.log(`${engine}: ${JSON.stringify(facts)}; waited, ms: ${waited}`);
  expect(violations).toEqual([]);
  expect(result.attempts).toBeGreaterThanOrEqual(SIZE.attempts);
  expect(result.killed + result.stopped).toBeGreaterThanOrEqual(SIZE.crashes);
}

const TIME_MS = isDeep ? 600_000 : 60_000;

describeWith(['postgres'], 'a fleet on PostgreSQL', () => {
  const postgres = usePostgres();
  test('S1 S2 S3 S4 S15 L3: workers that are killed and stopped', async () => {
    const { server } = postgres();
    judged('PostgreSQL', await runFleet({ ...SIZE, engine: 'postgres', socket: server.socket }, postgresSession(postgres().pool())));
  }, TIME_MS);
});

describeWith(['redis'], 'a fleet on Redis', () => {
  const redis = useRedis();
  test('S1 S2 S3 S4 S15 L3: workers that are killed and stopped', async () => {
    const { server } = redis();
    judged('Redis', await runFleet({ ...SIZE, engine: 'redis', socket: server.socket }, redisSession(redis().ioredis())));
  }, TIME_MS);
});
