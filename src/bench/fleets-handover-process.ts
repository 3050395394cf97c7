/** One of the processes a lock is handed round among. Told a way to lock and how often; tells when it had it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { LockStore } from '../index.js';
import { postgresLocks } from '../locks/postgres/index.js';
import { redisLocks } from '../locks/redis/index.js';

export type Way = 'postgresLocks' | 'bare advisory lock' | 'redisLocks' | 'bare BLPOP';
export interface Hold {
  /** Milliseconds on the clock that all processes of this machine share. */
  readonly granted: number;
  readonly releasing: number;
}
export interface Task {
  readonly way: Way;
  readonly key: string;
  readonly rounds: number;
}

const { postgres, redis } = JSON.parse(process.argv[2] ?? '{}') as { postgres: number; redis: number };
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const pool = new pg.Pool({ host: '127.0.0.1', port: postgres, user: 'postgres', database: 'postgres', max: 4 });
const client = new Redis({ host: '127.0.0.1', port: redis });
const blocking = new Redis({ host: '127.0.0.1', port: redis });

/** Held as long as a short write takes. */
async function held(): Promise<Hold> {
  const granted = now();
  await pause(2);
  return { granted, releasing: now() };
}

function withStore(locks: LockStore, session: string): () => Promise<Hold> {
  return async () => {
    const result = await locks.acquire({
      session, owner: randomUUID(), waitMs: 60_000, signal: new AbortController().signal,
      info: { attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} },
    });
    if (result.status !== 'granted') throw new Error(result.status);
    const hold = await held();
    await result.lease.release();
    return hold;
  };
}

const stores = { postgresLocks: postgresLocks(pool), redisLocks: redisLocks(client) };
const ways: Record<Way, (key: string) => () => Promise<Hold>> = {
  postgresLocks: (key) => withStore(stores.postgresLocks, key),
  redisLocks: (key) => withStore(stores.redisLocks, key),
  'bare advisory lock': (key) => async () => {
    const one = await pool.connect();
    await one.query('SELECT pg_advisory_lock(hashtext($1))', [key]);
    const hold = await held();
    await one.query('SELECT pg_advisory_unlock(hashtext($1))', [key]);
    one.release();
    return hold;
  },
  'bare BLPOP': (key) => async () => {
    await blocking.blpop(key, 60);
    const hold = await held();
    await client.rpush(key, '1');
    return hold;
  },
};

process.on('message', async ({ way, key, rounds }: Task) => {
  const holds: Hold[] = [];
  const once = ways[way](key);
  for (let round = 0; round < rounds; round += 1) holds.push(await once());
  process.send?.(holds);
});
process.on('disconnect', () => process.exit());
await pool.query('SELECT 1');
await client.ping();
process.send?.('ready');
