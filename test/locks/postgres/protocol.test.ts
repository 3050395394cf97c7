/**
 * The statements of a PostgreSQL lock, one by one; and tables that were made by an older migration.
 */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { duplicateOf, Queries } from '../../../src/locks/postgres/client.js';
import { migrate } from '../../../src/locks/postgres/index.js';
import { PostgresEngine } from '../../../src/locks/postgres/postgres-engine.js';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { describeWith, usePostgres } from '../../support/servers.js';
import { asking, granted } from '../fleets/faults.js';
import { stepsOf } from '../fleets/protocol.js';

describeWith(['postgres'], 'the steps of PostgreSQL', () => {
  const postgres = usePostgres();
  stepsOf(() => {
    const pool = postgres().pool();
    return new PostgresEngine(new Queries(pool), '"attempt"', () => duplicateOf(pool), systemClock);
  });

  test('S1 S3: tables made before there were asks are brought up to date, and keep their tokens', async () => {
    const pool = postgres().pool();
    await migrate(pool, { schema: 'older' });
    await pool.query(`ALTER TABLE older.locks DROP COLUMN asked, DROP COLUMN written;
      INSERT INTO older.locks (session, token) VALUES ('key', 41)`);
    const locks = postgresLocks(pool, { schema: 'older' });
    const before = await locks.acquire(asking('key', 'before'));
    expect(before).toMatchObject({ status: 'unknown', error: { message: expect.stringContaining('migrate') } });
    for (let twice = 0; twice < 2; twice += 1) await migrate(pool, { schema: 'older' });
    const lease = await granted(locks, 'key', 'after');
    expect(lease.token).toBe(42);
    expect(await lease.release()).toBe('released');
  });
});
