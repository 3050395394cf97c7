/**
 * What we need of `pg`, as it is: the caller's own pool or client. The package itself is not imported, so it stays
 * the caller's choice which one is installed.
 */
import { createHash } from 'node:crypto';
import { AttemptError } from '../../errors.js';

export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  /** Milliseconds after which `pg` gives the connection up. */
  readonly query_timeout?: number;
}

export interface PostgresRows {
  readonly rows: Record<string, unknown>[];
}

/** A `pg.Pool`, a `pg.Client`, a `PoolClient`, or anything that queries like one. */
export interface PostgresClient {
  // A method, and `any` for the result: so that the overloads of pg's own types fit.
  // oxlint-disable-next-line no-explicit-any
  query(query: any): Promise<any>;
}

/** A connection that listens. */
export interface ListeningClient extends PostgresClient {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  // oxlint-disable-next-line no-explicit-any
  on(event: any, fn: (message: any) => void): unknown;
  unref?(): void;
}

interface PoolParts {
  readonly Client: new (options: object) => ListeningClient;
  readonly options: object;
}

export const isPool = (client: PostgresClient): client is PostgresClient & PoolParts =>
  typeof (client as Partial<PoolParts>).Client === 'function' && typeof (client as Partial<PoolParts>).options === 'object';

/** A second connection like the caller's, not yet connected. Null where it cannot be told how they connect. */
export function duplicateOf(client: PostgresClient): ListeningClient | null {
  if (isPool(client)) return new client.Client(client.options); // as the pool itself makes them
  const { connectionParameters: known } = client as { connectionParameters?: Record<string, unknown> };
  if (known === undefined) return null;
  const { host, port, user, database, password, ssl } = { ...known, password: known['password'] } as Record<string, unknown>;
  const Client = client.constructor as PoolParts['Client'];
  return new Client({ host, port, user, database, password, ssl });
}

/**
 * Queries in turn: a single client can do one at a time, and warns if it is given more. A pool needs no turns.
 */
export class Queries {
  readonly #client: PostgresClient;
  readonly #inTurn: boolean;
  #last: Promise<unknown> = Promise.resolve();
  /** Prepared by name on each connection: to plan one of these anew costs more than to run it. */
  #named = true;

  constructor(client: PostgresClient) {
    this.#client = client;
    this.#inTurn = !isPool(client);
  }

  get client(): PostgresClient {
    return this.#client;
  }

  async run(text: string, values: unknown[], timeoutMs: number): Promise<Record<string, unknown>[]> {
    let named = false; // this very question; others on their way may have been asked otherwise
    const ask = (): Promise<PostgresRows> => {
      named = this.#named;
      return this.#client.query({ text, values, query_timeout: Math.ceil(timeoutMs), ...(named && { name: nameOf(text) }) });
    };
    try {
      if (!this.#inTurn) return (await ask()).rows;
      const mine = this.#last.then(ask, ask);
      this.#last = mine.catch(() => {});
      return (await mine).rows;
    } catch (error) {
      if (!named || !UNPREPARED.test(sqlState(error) ?? '')) throw explained(error);
      this.#named = false; // a pooler gives each transaction another connection: nothing stays prepared there
      return this.run(text, values, timeoutMs);
    }
  }
}

/** No such prepared statement, one of that name already, or one whose tables have changed: nothing was performed. */
const UNPREPARED = /^(26000|42P05|0A000)$/;

const names = new Map<string, string>();

/** A name for a statement, the same in every process: a connection may serve several of them. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const what = /^WITH (\w+)/.exec(text)?.[1] ?? 'one'; // for whoever looks at the server's statistics
  const made = `attempt_${what}_${createHash('sha1').update(text).digest('hex').slice(0, 24)}`;
  names.set(text, made);
  return made;
}

/** SQLSTATE of an answer by the server; null where there was no such answer. */
export function sqlState(error: unknown): string | null {
  const { code } = (error instanceof AttemptError ? error.cause : error) as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE' ? code : null;
}

/** The server refused for a while, or went away: connection exceptions, shutting down, starting up, too many clients. */
const PASSING = /^(08|57P0[123]|53|25006|40)/;

/** Was the failure one of the connection, so that another one may give an answer? */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return PASSING.test(state);
  return !(error instanceof AttemptError) && !(error instanceof TypeError);
}

function explained(error: unknown): unknown {
  const state = sqlState(error);
  if (state !== '42P01' && state !== '3F000' && state !== '42703') return error;
  return new AttemptError(
    'LOCK_STORE_FAILED', 'PostgreSQL: expected the tables of attempt-lifecycle, found none or old ones; '
    + 'run migrate(pool) once, or the SQL that migrationSql() gives', { cause: error },
  );
}
