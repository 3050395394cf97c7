/**
 * What a lock in an engine is compared with: the bare statements or commands, and what people use today.
 */
import { setMaxListeners } from 'node:events';
import { Redis } from 'ioredis';
import pg from 'pg';
import Redlock from 'redlock';
import { runAttempt, type HolderInfo, type LockStore } from '../index.js';
import { migrate, postgresLocks } from '../locks/postgres/index.js';
import { redisLocks } from '../locks/redis/index.js';
import type { Case } from './interleaved.js';

export interface Engines {
  readonly pool: pg.Pool;
  readonly redis: Redis;
  end(): Promise<void>;
}

export async function connectTo(ports: { postgres: number; redis: number }): Promise<Engines> {
  const pool = new pg.Pool({ host: '127.0.0.1', port: ports.postgres, user: 'postgres', database: 'postgres', max: 10 });
  const redis = new Redis({ host: '127.0.0.1', port: ports.redis });
  await migrate(pool);
  await pool.query(`CREATE TABLE IF NOT EXISTS bare (session text PRIMARY KEY, owner text, expires_at timestamptz) WITH (fillfactor = 50)`);
  return {
    pool, redis,
    async end() {
      redis.disconnect();
      await pool.end();
    },
  };
}

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER); // many ask at a time when the sessions are made
const info: HolderInfo = { attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} };
let count = 0;

export async function pair(locks: LockStore, session: string): Promise<void> {
  const result = await locks.acquire({ session, owner: `bench ${count += 1}`, waitMs: 0, signal: NEVER, info });
  if (result.status !== 'granted') throw new Error(`the lock of ${session} was ${result.status}`);
  await result.lease.release();
}

const BARE_TAKE = `INSERT INTO bare AS b VALUES ($1, $2, clock_timestamp() + interval '10 s') ON CONFLICT (session) DO UPDATE
  SET owner = $2, expires_at = clock_timestamp() + interval '10 s' WHERE b.owner IS NULL OR b.expires_at < clock_timestamp() RETURNING 1`;
const BARE_GIVE = 'UPDATE bare SET owner = NULL WHERE session = $1 AND owner = $2';
export const DELETE_IF_OURS = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

export const BARE = { postgres: 'PostgreSQL: bare row, the two statements', redis: 'Redis: bare SET NX PX + Lua delete' } as const;

/** Each takes a lock nobody else wants, and gives it back. */
export function casesOn({ pool, redis }: Engines): readonly Case[] {
  const inPostgres = postgresLocks(pool);
  const inRedis = redisLocks(redis);
  const redlock = new Redlock([redis as never], { retryCount: 0, automaticExtensionThreshold: 1 });
  return [
    { name: 'postgresLocks, acquire + release', run: () => pair(inPostgres, 'bench') },
    {
      name: BARE.postgres,
      async run() {
        const owner = `bare ${count += 1}`;
        await pool.query(BARE_TAKE, ['bare', owner]);
        await pool.query(BARE_GIVE, ['bare', owner]);
      },
    },
    {
      name: 'PostgreSQL: bare advisory lock',
      async run() {
        const client = await pool.connect();
        await client.query('SELECT pg_advisory_lock(hashtext($1))', ['advisory']);
        await client.query('SELECT pg_advisory_unlock(hashtext($1))', ['advisory']);
        client.release();
      },
    },
    { name: 'attempt, postgresLocks', run: () => runAttempt({ session: 'attempt', locks: inPostgres, records: 'none', work: () => {} }) },
    { name: 'redisLocks, acquire + release', run: () => pair(inRedis, 'bench') },
    {
      name: BARE.redis,
      async run() {
        const owner = `bare ${count += 1}`;
        await redis.set('bare', owner, 'PX', 10_000, 'NX');
        await redis.eval(DELETE_IF_OURS, 1, 'bare', owner);
      },
    },
    {
      name: 'Redis: redlock, one server',
      async run() {
        await (await redlock.acquire(['redlock'], 10_000)).release();
      },
    },
    { name: 'attempt, redisLocks', run: () => runAttempt({ session: 'attempt', locks: inRedis, records: 'none', work: () => {} }) },
  ];
}

/** The same pair with many sessions there, each time on another one. */
export async function casesWithSessions({ pool, redis }: Engines, sizes: readonly number[]): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const size of sizes) {
    const inPostgres = postgresLocks(pool, { schema: 'attempt' });
    const inRedis = redisLocks(redis, { prefix: `many${size}` });
    const session = (): string => `of ${size}: ${Math.floor(Math.random() * size)}`;
    for (let at = 0; at < size; at += 200) {
      const some = Array.from({ length: Math.min(200, size - at) }, (_, n) => `of ${size}: ${at + n}`);
      await Promise.all(some.flatMap((one) => [pair(inPostgres, one), pair(inRedis, one)]));
    }
    cases.push({ name: `postgresLocks, ${size} sessions`, run: () => pair(inPostgres, session()) });
    cases.push({ name: `redisLocks, ${size} sessions`, run: () => pair(inRedis, session()) });
  }
  return cases;
}
