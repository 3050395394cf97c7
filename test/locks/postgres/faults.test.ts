/**
 * PostgreSQL that fails, and the way to it.
 */
import { describe, test } from 'vitest';
import { describeWith, usePostgres } from '../../support/servers.js';
import { Bed, become, type EngineUnderTest } from '../fleets/bed.js';
import { engineOn } from './engine-on.js';
import { faultsOfTheServer, faultsOnTheWay, LEASE_MS } from '../fleets/faults.js';

describeWith(['postgres'], 'PostgreSQL that fails', () => {
  const postgres = usePostgres();
  const engine = (): EngineUnderTest => engineOn(postgres().server.socket);

  describe.concurrent('the way to it', () => {
    faultsOnTheWay(engine);
  });

  describe('the server', () => {
    faultsOfTheServer(engine, () => postgres().server);

    test('M12 S14: backends that are terminated are no loss', async (context) => {
      const bed = new Bed(engine(), context, LEASE_MS);
      const [way, other] = [await bed.way(), await bed.way()];
      const query = () => other.locks.query(bed.session).catch(() => []); // its backends are terminated, too
      const until = async (): Promise<number> => (await query())[0]?.holder?.until ?? 0;
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
