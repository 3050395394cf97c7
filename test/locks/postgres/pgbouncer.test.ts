/**
 * PostgreSQL behind a PgBouncer in transaction mode: no session state, so it works; no LISTEN, so waiters poll.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { someOf } from '../../support/depth.js';
import { describeWith, usePgBouncer, usePostgres } from '../../support/servers.js';
import { Bed, become } from '../fleets/bed.js';
import { granted } from '../fleets/faults.js';
import { engineOn } from './engine-on.js';

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

  test('S14: many statements at once, each on whatever connection: none fails for being prepared elsewhere', async () => {
    const store = postgresLocks(postgres().pool(8, bouncer().proxy));
    const ask = (n: number) => (n % 2 ? store.query(`key ${n}`)
      : granted(store, `key ${n} ${randomUUID()}`, 'owner').then((lease) => lease.release()));
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 24 }, (_, n) => ask(n)));
  });

  const cases = lockStoreContract(async () => ({ store: postgresLocks(postgres().pool(4, bouncer().proxy)), session: `key ${randomUUID()}` }));
  test.each(someOf('cases of the contract', cases, 6).map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
  });
});
