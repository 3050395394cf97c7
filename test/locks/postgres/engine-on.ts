/** PostgreSQL, as the tests of faults use it. */
import pg from 'pg';
import { postgresLocks } from '../../../src/locks/postgres/postgres-locks.js';
import { postgresSession } from '../../../src/locks/postgres/postgres-session.js';
import type { Proxy } from '../../support/proxy.js';
import type { EngineUnderTest } from '../fleets/bed.js';

export const engineOn = (socket: string): EngineUnderTest => ({
  socket,
  // By its text where it is prepared, by its name after that.
  questions: { acquire: /WITH granted|attempt_granted_/, release: /WITH ours|attempt_ours_/, write: /WITH held|attempt_held_/ },
  async connect(proxy: Proxy, leaseMs: number) {
    const pool = new pg.Pool({ host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'postgres', max: 10 });
    pool.on('error', () => {});
    return { locks: postgresLocks(pool, { leaseMs }), records: postgresSession(pool), end: () => pool.end() };
  },
});
