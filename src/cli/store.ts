/**
 * `--store`: where the lock is kept. Files beside the session unless a directory or an engine is named. Owns: the
 * clients made for URLs. The packages `pg`, `ioredis` and `redis` are the user's to install, and loaded only when they are named.
 */
import { resolve } from 'node:path';
import { AttemptError, describe } from '../errors.js';
import type { EngineLocks } from '../locks/engine/engine-locks.js';
import type { EngineRecords } from '../locks/engine/record-queue.js';
import { wordOf } from '../locks/file/kept-in.js';
import type { LockStore } from '../locks/lock-store.js';
import type { RedisClient } from '../locks/redis/client.js';
import { shellWord } from '../diagnosis/shell-word.js';
import { harmlessJson } from '../text.js';
import type { StoreOption } from './store-option.js';
import { shownUrl, storeWord } from './store-word.js';

export interface OpenedStore {
  /** For messages and for children: `files`, `postgres`, `redis`. */
  readonly kind: 'files' | 'postgres' | 'redis';
  readonly locks: LockStore;
  /** Null: the session is a file. */
  readonly records: EngineRecords | null;
  /** The same locks; null: files. */
  readonly engine: EngineLocks | null;
  /** Of files: where their locks lie, if not beside them. */
  readonly directory: string | undefined;
  /** For the environment of children: `files...`, or the URL as it was given, the password in it included. */
  readonly keptIn: string;
  /** For a command to be typed: ` --store <where>` without a password; empty where the environment, or nothing, names it. */
  readonly option: string;
  /** What names the session wherever it is asked: a whole path, or the key as it is. */
  nameOf(session: string): string;
  /** Ends the connections made for it. */
  close(): Promise<void>;
}

/**
 * @throws AttemptError `CONFIG_INVALID`: neither files nor a URL of an engine we know, or its package is not installed
 */
export async function openStore(options: StoreOption): Promise<OpenedStore> {
  const { kind, word, directory } = storeWord(options);
  if (kind === 'files') return filesIn(directory);
  const opened = await (kind === 'postgres' ? openPostgres(word) : openRedis(word));
  return {
    ...opened, engine: opened.locks as EngineLocks, directory: undefined, keptIn: word, option: optionOf(word),
    nameOf: (session) => session,
  };
}

async function filesIn(directory: string | undefined): Promise<OpenedStore> {
  const { localFileLocks } = await import('../locks/file/local-file-locks.js');
  return {
    kind: 'files', locks: localFileLocks({ ...(directory !== undefined && { directory }) }), engine: null, records: null,
    directory, keptIn: wordOf(directory), option: optionOf(wordOf(directory)),
    nameOf: (session) => resolve(session), close: async () => {},
  };
}

/** A password is not shown: whoever types the command knows it, or has it where libpq and redis-cli look for it. */
function optionOf(store: string): string {
  if ((process.env['ATTEMPT_STORE'] || 'files') === store) return '';
  const word = shellWord(store.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, '$1@'));
  return word === null ? '' : ` --store ${word}`;
}

type Engine = Pick<OpenedStore, 'kind' | 'locks' | 'close'> & { readonly records: EngineRecords };

/** One attempt asks for little at a time: its lock, its renewal, who holds it. */
const MOST_CONNECTIONS = 3;

async function openPostgres(url: string): Promise<Engine> {
  const { default: pg } = await installed('PostgreSQL', 'pg', () => import('pg'));
  const { postgresLocks, postgresSession } = await import('../locks/postgres/index.js');
  const pool = new pg.Pool({ connectionString: url, max: MOST_CONNECTIONS, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {}); // an idle connection that is cut is replaced; what was asked on it says so itself
  return { kind: 'postgres', locks: postgresLocks(pool), records: postgresSession(pool), close: () => pool.end() };
}

/** With whichever of the two packages is installed. */
async function openRedis(url: string): Promise<Engine> {
  const { redisLocks, redisSession } = await import('../locks/redis/index.js');
  const [client, end] = await viaIoredis(url).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return viaNodeRedis(url);
  });
  return { kind: 'redis', locks: redisLocks(client), records: redisSession(client), close: async () => end() };
}

async function viaIoredis(url: string): Promise<[RedisClient, () => void]> {
  const { Redis } = await import('ioredis');
  // What was asked on a connection that is lost is asked anew by us, where that is no harm: not by the client.
  const client = new Redis(url, { connectTimeout: 5_000, maxRetriesPerRequest: 3, autoResendUnfulfilledCommands: false });
  client.on('error', () => {}); // what was asked says so itself
  return [client, () => client.disconnect()];
}

async function viaNodeRedis(url: string): Promise<[RedisClient, () => void]> {
  const { createClient } = await installed('Redis', 'ioredis', () => import('redis'));
  const client = createClient({ url, socket: { connectTimeout: 5_000 } });
  client.on('error', () => {});
  await client.connect();
  return [client, () => client.destroy()];
}

/** Said so of `import()`; of `require()`, as the bundled command has it, without ERR_. */
const isMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes((error as { code?: string }).code ?? '');

async function installed<T>(engine: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const also = name === 'ioredis' ? ' (or redis)' : '';
    throw new AttemptError('CONFIG_INVALID', `locks in ${engine} need the package ${name}${also}; install it where `
      + `attempt-lifecycle is: npm install ${name}`, { cause });
  }
}

/** Opens a store for one question, and closes it whatever becomes of that. @throws AttemptError `CONFIG_INVALID` */
export async function withStore<T>(options: StoreOption, use: (store: OpenedStore) => Promise<T>): Promise<T> {
  const store = await openStore(options);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** How often a log that follows looks again, milliseconds. */
const LOOK_MS = 500;

/**
 * The records of a session kept in an engine, as `attempt log` shows them. With `follow` it goes on until it is
 * interrupted, or nobody reads it; what a `replace` has put in place of all comes again then.
 * @throws AttemptError `LOCK_STORE_FAILED` where the engine does not answer
 */
export async function logFrom(
  records: EngineRecords, session: string, { json, follow }: { json?: boolean; follow?: boolean },
): Promise<void> {
  let count = 0;
  let gone = false;
  process.stdout.once('error', () => { gone = true; });
  try {
    for (let after: string | null = null; !gone;) {
      const { entries, end } = await records.page(session, after);
      for (const { token, record } of entries) {
        process.stdout.write(json ? `${harmlessJson({ token, record })}\n` : `${String(token).padStart(6)}  ${harmlessJson(record)}\n`);
      }
      count += entries.length;
      after = end;
      if (entries.length === 0 && !follow) break;
      if (entries.length === 0) await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
    }
  } catch (cause) {
    if (cause instanceof AttemptError) throw cause;
    throw new AttemptError('LOCK_STORE_FAILED', `${session}: its records could not be read: ${describe(cause)}`, { cause });
  }
  if (!json && !gone) process.stderr.write(`${count} ${count === 1 ? 'record' : 'records'}\n`);
}

/** Makes the tables of locks in PostgreSQL, or prints what makes them. */
export async function migrateStore({ print, ...options }: StoreOption & { readonly print?: boolean }): Promise<void> {
  const { migrate, migrationSql } = await import('../locks/postgres/index.js');
  if (print) return void process.stdout.write(migrationSql());
  const { kind, word } = storeWord(options);
  if (kind !== 'postgres') {
    throw new AttemptError('CONFIG_INVALID', `migrate: expected --store postgres://..., got ${shownUrl(word)}: only PostgreSQL has `
      + 'tables to make');
  }
  const { default: pg } = await installed('PostgreSQL', 'pg', () => import('pg'));
  const client = new pg.Client({ connectionString: word, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await migrate(client);
  } finally {
    await client.end();
  }
}
