/**
 * The tables of locks, waiters and records. Owns: their shape, and how one gets from none to this one.
 */
import type { PostgresClient } from './client.js';
import { quotedSchema } from './names.js';

export interface MigrateOptions {
  /** The schema of the tables; made if missing. Default: `attempt`. */
  schema?: string;
}

/**
 * The SQL that `migrate` runs, for those whose migrations are run by something else. It may be run again.
 * @throws AttemptError `CONFIG_INVALID` for a schema that is no plain name
 */
export function migrationSql({ schema }: MigrateOptions = {}): string {
  const s = quotedSchema(schema);
  return `CREATE SCHEMA IF NOT EXISTS ${s};

-- One row a session, never deleted: the token in it must outlive every grant. Half of each page is left free, so that
-- a renewal finds place beside the row it replaces and touches no index.
CREATE TABLE IF NOT EXISTS ${s}.locks (
  session    text PRIMARY KEY,
  token      bigint NOT NULL CHECK (token BETWEEN 0 AND 9007199254740991),
  owner      text,                 -- null: free
  since      timestamptz,
  expires_at timestamptz,          -- by the clock of this server
  freed_by   text,                 -- who gave it back last: a release whose answer was lost can be asked again
  buried     jsonb,                -- owners that are granted nothing any more, and until when
  info       json,                 -- what the holder tells about itself
  asked      jsonb,                -- what this very grant is asked: cleared by the next one
  written    bigint                -- the last number given to a record of the holder's children
) WITH (fillfactor = 50);
-- Tables that were made before there were these.
ALTER TABLE ${s}.locks ADD COLUMN IF NOT EXISTS asked jsonb, ADD COLUMN IF NOT EXISTS written bigint;

-- Who waits, in order. A waiter that has not looked for some seconds is taken for dead and holds nobody up.
CREATE TABLE IF NOT EXISTS ${s}.waiters (
  session    text NOT NULL,
  owner      text NOT NULL,
  seq        bigint GENERATED ALWAYS AS IDENTITY,
  since      timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_until timestamptz NOT NULL,
  channel    text NOT NULL,        -- whom to NOTIFY
  info       json,
  PRIMARY KEY (session, owner)
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS waiters_in_order ON ${s}.waiters (session, seq);

-- The records of postgresSession(). Ordered by token, and under one token by the writer's count: so what is written
-- with a smaller token can never come after, and the same record asked for twice is one.
CREATE TABLE IF NOT EXISTS ${s}.records (
  session text NOT NULL,
  token   bigint NOT NULL,
  n       bigint NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  record  json NOT NULL,
  PRIMARY KEY (session, token, n)
);
`;
}

/** Two migrations at the same time would meet in the catalogue: they go one after another. Any constant will do. */
const ONE_AT_A_TIME = 7_305_432_118;

/**
 * Makes the tables, where they are missing, and adds the columns that those of an earlier version lack. May be run at
 * every start, and by several processes at once.
 *
 * @param client a pool or a client that may create schemas and tables
 * @returns the SQL that was run
 * @throws AttemptError `CONFIG_INVALID`; what the server answers
 */
export async function migrate(client: PostgresClient, options: MigrateOptions = {}): Promise<string> {
  const sql = migrationSql(options);
  // Without values it is one simple query, and so one transaction: all of it or nothing.
  await client.query(`SELECT pg_advisory_xact_lock(${ONE_AT_A_TIME});\n${sql}`);
  return sql;
}
