/**
 * `redisLocks`: the store as its users make it. Owns: its options and their checks.
 */
import { systemClock, type Clock } from '../../clock.js';
import { expect, expectMs } from '../../config-checks.js';
import { EngineLocks } from '../engine/engine-locks.js';
import type { LockStore } from '../lock-store.js';
import { Commands, isIoredis, isNodeRedis, type RedisClient } from './client.js';
import { checkedPrefix } from './keys.js';
import { RedisEngine } from './redis-engine.js';

export interface RedisLocksOptions {
  /** How long a lock lives without renewal, milliseconds, at least 300. Default: 10 000. */
  leaseMs?: number;
  /** In front of every key; the session is its hash tag: `attempt:{session}:lock`. Default: `attempt`. */
  prefix?: string;
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** Three renewals in a lease, each with time for an answer from another machine. */
const LEAST_LEASE_MS = 300;

/**
 * Locks in Redis: short scripts on the caller's own client.
 *
 * Guarantees: while one and the same server serves, and keeps its data: one holder a session among all its clients;
 * leases end on the server's clock; tokens rise; a stalled holder can neither renew, release nor shorten its
 * successor's lock, and `redisSession()` refuses its writes; who waits is served in order.
 * Does not promise (`tokenScope: "until-failover"`): anything a failover or a restart has forgotten. Replication is
 * asynchronous: a promoted replica may not know of the last grants, and a holder it does not know of goes on until
 * its renewal is refused. A token that went backwards is noticed at the next acquire, compared with the session's
 * records (`tokenFloor`) and with what this process has seen, and raised above them, or the grant is given back; with
 * neither to compare with, it cannot be noticed. Nor a wall clock of the server that steps; nor keys that were evicted.
 * Source: FIELD.md section 5; the scripts are in `scripts.ts`. Not Redlock: more servers would add no order.
 *
 * @param client a connected ioredis `Redis` or `Cluster`, or node-redis client; stays the caller's to end, and to
 *   listen to its `error` event. Waiting, and holding for longer than half a second, uses a duplicate of it, which the
 *   store opens and closes; in a cluster waiters poll, and holders hear that they are asked to end with their renewals.
 * @returns a LockStore with `tokenScope: "until-failover"` and `fencedWrites: true`
 * @throws AttemptError `CONFIG_INVALID`
 */
export function redisLocks(client: RedisClient, options: RedisLocksOptions = {}): LockStore {
  expect(isIoredis(client) || isNodeRedis(client), 'client', 'an ioredis or node-redis client', client);
  const { leaseMs = 10_000, clock = systemClock } = options;
  expectMs('leaseMs', leaseMs, { min: LEAST_LEASE_MS });
  const engine = new RedisEngine(new Commands(client), checkedPrefix(options.prefix), clock);
  return new EngineLocks({ engine, clock, leaseMs, name: 'Redis' });
}
