/**
 * The fence for callers who write their own tables, in their own transaction.
 */
import { expect, expectMs } from '../../config-checks.js';
import { AttemptError } from '../../errors.js';
import { isPool, sqlState, type PostgresClient } from './client.js';
import { quotedSchema } from './names.js';

/** Whose right to write is checked: a lease, or what work is given: `{ session: 'key', token }`. */
export interface FencedBy {
  readonly session?: string;
  readonly token: number | null;
}

export interface FenceOptions {
  /** The schema of the tables, as given to `migrate` and `postgresLocks`. Default: `attempt`. */
  schema?: string;
  /**
   * The server ends this transaction if it stands idle so long, milliseconds, at least 100; a shorter setting of the
   * server stays. Default: 10 000.
   */
  idleMs?: number;
}

/**
 * Call it inside a transaction, before it writes: until the transaction ends nobody else is granted the session, and
 * if somebody else has been, it throws and the transaction cannot be committed.
 *
 *     await client.query('BEGIN');
 *     await fence(client, { session: 'account/7', token });
 *     await client.query('UPDATE accounts SET ...');
 *     await client.query('COMMIT');
 *
 * **Warning.** The transaction holds the lock's row. As long as it is open the lease cannot be renewed, and a takeover
 * waits for it, also when its process stands still in the middle: keep it shorter than a third of `leaseMs`. As a guard
 * the server is told to end it when it is idle for `idleMs`; it does not end one whose statement runs for ever, so set
 * `statement_timeout` too. It does not protect what is written before it, outside of it, or under `COMMIT PREPARED`.
 *
 * @param client the client the transaction runs on; not a pool, which may give each query another connection
 * @param by the session and the token the attempt was granted
 * @throws AttemptError `WRITE_FENCED`: the grant is not the session's any more; `CONFIG_INVALID`: a pool, or no
 *   transaction; else what the server answers
 */
export async function fence(client: PostgresClient, by: FencedBy, options: FenceOptions = {}): Promise<void> {
  expect(typeof client?.query === 'function' && !isPool(client), 'client', 'the client of the transaction, not a pool', client);
  const { session, token } = by ?? {};
  expect(typeof session === 'string' && session !== '', 'by.session', 'the session', session);
  expect(Number.isSafeInteger(token) && Number(token) > 0, 'by.token', 'the token of a grant', token);
  const { idleMs = 10_000 } = options;
  expectMs('idleMs', idleMs, { min: 100 });
  const s = quotedSchema(options.schema);
  try {
    // Only a transaction knows savepoints: outside of one, the row would be let go again before anything is written.
    await client.query('SAVEPOINT attempt_fence');
    await client.query('RELEASE SAVEPOINT attempt_fence');
  } catch (cause) {
    if (sqlState(cause) !== '25P01') throw cause;
    throw new AttemptError('CONFIG_INVALID', 'fence: expected a client in a transaction, got one that is in none; '
      + 'send BEGIN first, on this very client', { cause });
  }
  const { rows } = await client.query({
    text: `SELECT set_config('idle_in_transaction_session_timeout', CASE WHEN idle.setting::bigint BETWEEN 1 AND $3::bigint
        THEN idle.setting ELSE $3::text END, true) AS idle
      FROM ${s}.locks l, pg_settings idle WHERE idle.name = 'idle_in_transaction_session_timeout'
      AND l.session = $1 AND l.token = $2::bigint AND l.owner IS NOT NULL FOR SHARE OF l`,
    values: [session, token, idleMs],
  }) as { rows: unknown[] };
  if (rows.length > 0) return;
  await poison(client);
  throw new AttemptError('WRITE_FENCED', `${session}: expected token ${token} to hold its lock, but it does not (any more). `
    + 'Nothing was written: the transaction cannot be committed. Roll it back.');
}

/** Nobody may commit by mistake what was refused: a transaction in which a statement has failed rolls back. */
async function poison(client: PostgresClient): Promise<void> {
  await client.query("DO $$ BEGIN RAISE EXCEPTION 'attempt-lifecycle: fenced'; END $$").catch(() => {});
}
