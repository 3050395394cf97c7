/**
 * PostgreSQL that fails, and the way to it.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { postgresSession } from '../../../src/locks/postgres/postgres-session.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import type { Proxy } from '../../support/proxy.js';
import { describeWith, usePgBouncer, usePostgres } from '../../support/servers.js';
import { Bed, become, type EngineUnderTest } from '../fleets/bed.js';
import { faultsOfTheServer, faultsOnTheWay, LEASE_MS } from '../fleets/faults.js';

const engineOn = (socket: string): EngineUnderTest => ({
  socket,
  questions: { acquire: /WITH granted/, release: /WITH freed/, write: /WITH held/ },
  async connect(proxy: Proxy, leaseMs: number) {
    const pool = new pg.Pool({ host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'postgres', max: 10 });
    pool.on('error', () => {});
    return { locks: postgresLocks(pool, { leaseMs }), records: postgresSession(pool), end: () => pool.end() };
  },
});

describeWith(['postgres'], 'PostgreSQL that fails', () => {
  const postgres = usePostgres();
  const engine = (): EngineUnderTest => engineOn(postgres().server.socket);

  describe('the way to it', { concurrent: true }, () => {
    faultsOnTheWay(engine);
  });

  describe('the server', () => {
    faultsOfTheServer(engine, () => postgres().server);

    test('M12 S14: backends that are terminated are no loss', async (context) => {
      const bed = new Bed(engine(), context, LEASE_MS);
      const [way, other] = [await bed.way(), await bed.way()];
      const until = async (): Promise<number> => (await other.locks.query(bed.session))[0]?.holder?.until ?? 0;
      const writing = await bed.write(way, 'holder');
      const before = await until();
      await postgres().admin('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
      await become('renewed', async () => await until() > before);
      const { written } = writing;
      await become('it writes on', () => writing.written > written + 3);
      context.expect(await writing.end()).toMatchObject({ outcome: 'completed', lease: 'released', lateAborts: [] });
      await bed.judge(other);
    });
  });
});

describeWith(['postgres', 'pgbouncer'], 'PostgreSQL behind PgBouncer in transaction mode', () => {
  const postgres = usePostgres();
  const bouncer = usePgBouncer(postgres);

  test('L4 S1 S3 S15: attempts of several pools take turns, by polling, and each record is there once', async (context) => {
    const bed = new Bed(engineOn(bouncer().server.socket), context, 5_000);
    const ways = [await bed.way(), await bed.way(), await bed.way()];
    const first = await bed.write(ways[0]!, 'first');
    const others = ways.slice(1).map((way, at) => bed.write(way, `other ${at}`));
    await become('two wait', async () => (await ways[0]!.locks.query(bed.session))[0]?.waiting.length === 2);
    context.expect(await first.end()).toMatchObject({ outcome: 'completed', lease: 'released', token: 1 });
    const second = await Promise.race(others);
    context.expect(second.token).toBe(2);
    await second.end();
    for (const other of await Promise.all(others)) context.expect((await other.end()).lease).toBe('released');
    await bed.judge(ways[0]!);
  });

  const cases = lockStoreContract(async () => ({ store: postgresLocks(postgres().pool(4, bouncer().proxy)), session: `key ${randomUUID()}` }));
  test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
  });
});
