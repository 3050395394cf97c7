/**
 * Records in PostgreSQL, the fence for callers' own tables, and the migration.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test, type TestContext } from 'vitest';
import { runAttempt } from '../../../src/index.js';
import { fence, migrate, migrationSql, postgresLocks, postgresSession } from '../../../src/locks/postgres/index.js';
import { Proxy } from '../../support/proxy.js';
import { describeWith, usePostgres } from '../../support/servers.js';
import { become } from '../fleets/bed.js';
import { asking, granted } from '../fleets/faults.js';
import { recordsInAnEngine } from '../fleets/records.js';

describeWith(['postgres'], 'PostgreSQL', () => {
  const postgres = usePostgres();
  recordsInAnEngine(async () => {
    const pool = postgres().pool();
    return { locks: postgresLocks(pool), records: postgresSession(pool) };
  });

  const scene = async (leaseMs = 10_000) => {
    const pool = postgres().pool();
    const locks = postgresLocks(pool, { leaseMs });
    const session = `account ${randomUUID()}`;
    await pool.query('CREATE TABLE IF NOT EXISTS accounts (name text)');
    const count = async () => (await pool.query('SELECT count(*)::int AS n FROM accounts WHERE name = $1', [session])).rows[0].n as number;
    const write = (client: pg.ClientBase) => client.query('INSERT INTO accounts VALUES ($1)', [session]);
    return { pool, locks, session, count, write };
  };

  test('S4 M09: fence lets the holder\'s transaction through, and holds a takeover up until it ends', async () => {
    const { pool, locks, session, count, write } = await scene();
    const lease = await granted(locks, session, 'holder');
    const client = await pool.connect();
    await client.query('BEGIN');
    await fence(client, lease);
    await write(client);
    const taking = locks.forceRelease(session, { token: lease.token });
    await become('the takeover waits', async () => (await postgres().admin(
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%freed%'",
    )).length === 1);
    await client.query('COMMIT');
    client.release();
    expect(await taking).toBe('released');
    expect(await count()).toBe(1);
  });

  test('S4 M09: after a takeover fence throws, and the transaction cannot be committed', async () => {
    const { pool, locks, session, count, write } = await scene();
    const lease = await granted(locks, session, 'zombie');
    const client = await pool.connect();
    await client.query('BEGIN');
    await locks.forceRelease(session, { token: lease.token });
    const next = await granted(locks, session, 'next');
    await expect(fence(client, { session, token: lease.token })).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await expect(write(client)).rejects.toMatchObject({ code: '25P02' });
    await client.query('COMMIT'); // by mistake: the server rolls back
    client.release();
    expect(await count()).toBe(0);
    await next.release();
  });

  test('S4: fence refuses a token that has been given back, too', async () => {
    const { pool, locks, session } = await scene();
    const lease = await granted(locks, session, 'holder');
    await lease.release();
    const client = await pool.connect();
    await client.query('BEGIN');
    await expect(fence(client, lease)).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await client.query('ROLLBACK');
    client.release();
  });

  test('L3: a zombie that stands still inside a fenced transaction is ended by the server', async (context: TestContext) => {
    const { locks, session, count, write } = await scene(500);
    const proxy = await new Proxy(postgres().server.socket).listen();
    context.onTestFinished(() => proxy.close());
    const lease = await granted(postgresLocks(postgres().pool(1, proxy), { leaseMs: 500 }), session, 'zombie');
    const client = await postgres().client();
    await client.query('BEGIN');
    await fence(client, lease, { idleMs: 300 });
    await write(client);
    proxy.break(); // its heart, too, stands still
    // Held by the transaction, the lease is not renewed; a single try is busy, not stuck.
    expect((await locks.acquire(asking(session, 'single try'))).status).toBe('busy');
    const next = await granted(locks, session, 'next', 30_000);
    await expect(client.query('COMMIT')).rejects.toThrow();
    expect(await count()).toBe(0);
    await next.release();
  });

  test('fence wants a client in a transaction', async () => {
    const { pool, locks, session } = await scene();
    const lease = await granted(locks, session, 'holder');
    await expect(fence(pool, lease)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const client = await pool.connect();
    await expect(fence(client, lease)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('BEGIN') });
    await expect(fence(client, { session, token: null })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    client.release();
    await lease.release();
  });

  test('records whose lock is kept elsewhere are refused before the work starts', async () => {
    const pool = postgres().pool();
    const report = await runAttempt({
      session: 'key', records: postgresSession(pool), locks: postgresLocks(pool, { schema: 'other' }), work: () => 1,
    });
    expect(report).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_STORE_FAILED', message: expect.stringContaining('migrate(pool)') } });
    await migrate(pool, { schema: 'other' });
    const locks = postgresLocks(pool, { schema: 'other' });
    const again = await runAttempt({ session: 'key', records: postgresSession(pool), locks, work: () => 1 });
    expect(again).toMatchObject({ outcome: 'notStarted', error: { code: 'WRITE_FENCED', message: expect.stringContaining('same schema') } });
  });

  test('migrate may be run again, by many at once, and gives the SQL it ran', async () => {
    const pools = [1, 2, 3, 4].map(() => postgres().pool(1));
    const all = await Promise.all(pools.map((pool) => migrate(pool, { schema: 'several' })));
    expect(new Set(all)).toEqual(new Set([migrationSql({ schema: 'several' })]));
    expect(() => migrationSql({ schema: 'x"; DROP' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('options that cannot be are refused', () => {
    const pool = postgres().pool();
    const bad: (() => unknown)[] = [
      () => postgresLocks({} as never), () => postgresLocks(pool, { leaseMs: 10 }), () => postgresLocks(pool, { listen: 1 as never }),
      () => postgresLocks(pool, { schema: '' }), () => postgresSession(undefined as never),
    ];
    for (const make of bad) expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('L5: at rest no connection of ours is left but the caller\'s', async () => {
    const pool = postgres().pool(2);
    const locks = postgresLocks(pool);
    const lease = await granted(locks, 'rest', 'holder');
    const waiting = granted(locks, 'rest', 'waiter', 30_000);
    const listening = async () => (await postgres().admin("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")).length;
    await become('one listens', async () => await listening() > 0);
    await lease.release();
    await (await waiting).release();
    await become('none listens', async () => await listening() === 0);
    expect(await postgres().admin('SELECT * FROM attempt.waiters')).toEqual([]);
  });
});
