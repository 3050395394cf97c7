/**
 * `postgresLocks`: the store as its users make it. Owns: its options and their checks.
 */
import { systemClock, type Clock } from '../../clock.js';
import { expect, expectMs } from '../../config-checks.js';
import { EngineLocks } from '../engine/engine-locks.js';
import type { LockStore } from '../lock-store.js';
import { duplicateOf, Queries, type ListeningClient, type PostgresClient } from './client.js';
import { quotedSchema } from './names.js';
import { PostgresEngine } from './postgres-engine.js';

export interface PostgresLocksOptions {
  /** How long a lock lives without renewal, milliseconds, at least 300. Default: 10 000. */
  leaseMs?: number;
  /** The schema of the tables, as given to `migrate`. Default: `attempt`. */
  schema?: string;
  /**
   * Wake waiters, and holders that are asked to end, by LISTEN: on a connection of the store's own, opened while somebody
   * waits, or has held a lock for half a second, and closed a second after the last of them.
   * `false`: waiters only look every half second, and holders hear with their next renewal, a third of `leaseMs`. A
   * function: makes that connection, where the caller's own leads through a pooler in transaction mode and cannot listen.
   * Default: true, a duplicate of the caller's client.
   */
  listen?: boolean | (() => ListeningClient);
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** Three renewals in a lease, each with time for an answer from another machine. */
const LEAST_LEASE_MS = 300;

/**
 * Locks in PostgreSQL: one row a session, in the caller's own database, on the caller's own pool.
 *
 * Guarantees: one holder a session among all clients of the database; leases end on the server's clock; tokens rise as
 * long as committed transactions are kept (`durable`); a stalled holder can neither renew, release nor shorten its
 * successor's lock, and `postgresSession()` and `fence()` refuse its writes; who waits is served in order.
 * Does not detect: commits that a failover to an asynchronous replica, or a restored backup, has lost; a wall clock of
 * the server that steps (a lease may then be taken over early; the token keeps the zombie out).
 * Source: FIELD.md section 5; the statements are in `statements.ts`.
 *
 * @param client a `pg.Pool` (better: a connection that is lost is replaced) or a connected `pg.Client`; stays the
 *   caller's to end, and to listen to its `error` event. `migrate(client)` must have been run once.
 * @returns a LockStore with `tokenScope: "durable"` and `fencedWrites: true`
 * @throws AttemptError `CONFIG_INVALID`
 */
export function postgresLocks(client: PostgresClient, options: PostgresLocksOptions = {}): LockStore {
  expect(typeof client?.query === 'function', 'client', 'a pg.Pool or pg.Client', client);
  const { leaseMs = 10_000, listen = true, clock = systemClock } = options;
  expectMs('leaseMs', leaseMs, { min: LEAST_LEASE_MS });
  expect(typeof listen === 'boolean' || typeof listen === 'function', 'listen', 'true, false or a function', listen);
  const listener = typeof listen === 'function' ? listen : (): ListeningClient | null => (listen ? duplicateOf(client) : null);
  const engine = new PostgresEngine(new Queries(client), quotedSchema(options.schema), listener, clock);
  return new EngineLocks({ engine, clock, leaseMs, name: 'PostgreSQL' });
}
