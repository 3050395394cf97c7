/**
 * Real servers for tests: one of each a test file, started when the file begins and removed when it ends, behind a
 * proxy of the test's own. A server that is missing skips its tests, loudly; where `ATTEMPT_REQUIRE` names it
 * (`ATTEMPT_REQUIRE=postgres,redis,pgbouncer`, as `.ci/run` does), its absence is a failure.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import {
  programOf, startPgBouncer, startPostgres, startRedis, type PostgresSettings, type RedisSettings, type Server,
} from '../../src/bench/engine-servers.js';
import { migrate } from '../../src/locks/postgres/migrate.js';
import { Proxy } from './proxy.js';

const PROGRAMS = { postgres: ['initdb', 'postgres'], redis: ['redis-server'], pgbouncer: ['pgbouncer'] } as const;
export type Engine = keyof typeof PROGRAMS;

/** `describe`, where this machine has the programs; else skipped, and said so. */
export function describeWith(engines: readonly Engine[], title: string, body: () => void): void {
  const missing = engines.filter((engine) => PROGRAMS[engine].some((program) => programOf(program) === null));
  const required = (process.env['ATTEMPT_REQUIRE'] ?? '').split(',').map((name) => name.trim());
  if (missing.length === 0) return void describe(title, body);
  const must = missing.filter((engine) => required.includes(engine));
  if (must.length > 0) throw new Error(`ATTEMPT_REQUIRE: ${must.join(', ')} must be installed to run: ${title}`);
  console.warn(`SKIPPED: ${title}: ${missing.join(', ')} not installed`);
  describe.skip(title, body);
}

/** A server and the proxy that leads to it. */
export interface Behind {
  readonly server: Server;
  readonly proxy: Proxy;
}

interface Hooks<T extends Behind> {
  (): T;
}

function use<T extends Behind>(start: () => Promise<T>): Hooks<T> {
  let made: T | undefined;
  beforeAll(async () => { made = await start(); });
  afterAll(async () => {
    await made?.proxy.close();
    await made?.server.remove();
  });
  return () => {
    if (!made) throw new Error('the server has not started');
    return made;
  };
}

async function behind(server: Server | null): Promise<Behind> {
  if (!server) throw new Error('the server is not installed');
  return { server, proxy: await new Proxy(server.socket).listen() };
}

/** Ends what a test opened when the test is over, whatever became of it. */
function useEnds(): (end: () => unknown) => void {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return (end) => void ends.push(end);
}

export interface PostgresForTests extends Behind {
  /** A pool that is ended when the test is over. */
  pool(max?: number, proxy?: Proxy): pg.Pool;
  /** A connected client of its own. */
  client(): Promise<pg.Client>;
  /** Asks the server itself, past the proxy. */
  admin(text: string): Promise<Record<string, unknown>[]>;
}

/** A PostgreSQL for this file, with our tables. */
export function usePostgres(settings: PostgresSettings = {}): Hooks<PostgresForTests> {
  const later = useEnds();
  return use(async () => {
    const made = await behind(await startPostgres(settings));
    const where = (port = made.proxy.port) => ({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    const directly = { host: made.server.socket.replace(/\/[^/]*$/, ''), user: 'postgres', database: 'postgres' };
    const admin = async (text: string): Promise<Record<string, unknown>[]> => {
      const client = new pg.Client(directly);
      await client.connect();
      try {
        return (await client.query(text)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    };
    const migrator = new pg.Client(directly);
    await migrator.connect();
    await migrate(migrator);
    await migrator.end();
    return {
      ...made, admin,
      pool(max = 10, proxy = made.proxy) {
        const pool = new pg.Pool({ ...where(proxy.port), max });
        pool.on('error', () => {}); // idle connections are cut here all the time
        later(() => pool.end());
        return pool;
      },
      async client() {
        const client = new pg.Client(where());
        client.on('error', () => {});
        await client.connect();
        later(() => client.end().catch(() => {}));
        return client;
      },
    };
  });
}

/** A PgBouncer for this file, before that PostgreSQL. */
export function usePgBouncer(postgres: Hooks<PostgresForTests>): Hooks<Behind> {
  return use(async () => behind(await startPgBouncer(postgres().server)));
}

export interface RedisForTests extends Behind {
  ioredis(more?: { keyPrefix?: string }): Redis;
  nodeRedis(): Promise<ReturnType<typeof createClient>>;
}

/** Clients of a Redis that come back by themselves, as they do by default, and soon. */
export function useRedis(settings: RedisSettings = {}): Hooks<RedisForTests> {
  const later = useEnds();
  return use(async () => {
    const made = await behind(await startRedis(settings));
    return {
      ...made,
      ioredis(more = {}) {
        const client = new Redis({ host: '127.0.0.1', port: made.proxy.port, retryStrategy: () => 30, ...more });
        client.on('error', () => {});
        later(() => client.disconnect());
        return client;
      },
      async nodeRedis() {
        const client = createClient({ socket: { host: '127.0.0.1', port: made.proxy.port, reconnectStrategy: () => 30 } });
        client.on('error', () => {});
        await client.connect();
        later(() => client.destroy());
        return client as ReturnType<typeof createClient>;
      },
    };
  });
}
