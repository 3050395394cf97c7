/**
 * Records of sessions in PostgreSQL: each write is one statement that holds the row of the lock while it checks the token.
 */
import { expect } from '../../config-checks.js';
import type { SessionEntry } from '../../session/read-session.js';
import type { OpenRequest, OpenedSession } from '../../session/session-records.js';
import { collected, notHeldHere, RecordQueue, streamed, type Batch, type EngineRecords, type RecordPage } from '../engine/record-queue.js';
import { isConnectionFailure, Queries, type PostgresClient } from './client.js';
import { quotedSchema } from './names.js';

export interface PostgresSessionOptions {
  /** The schema of the tables, as given to `migrate` and `postgresLocks`. Default: `attempt`. */
  schema?: string;
}

/** As long as an attempt's `answerMs`, less what the way back takes. */
const QUERY_MS = 4_500;

/** Rows of one page when reading. */
const PAGE = 1_000;

/**
 * FOR SHARE waits for a takeover under way, and a takeover waits for it: so a record with a smaller token is never
 * accepted after one with a greater. (FOR KEY SHARE would not do: it lets the takeover pass.)
 */
const held = (s: string): string =>
  `held AS (SELECT token FROM ${s}.locks WHERE session = $1 AND owner = $2 AND token = $3::bigint FOR SHARE)`;
const insert = (s: string): string => `written AS (
  INSERT INTO ${s}.records (session, token, n, record)
  SELECT $1, held.token, $4::bigint + one.place - 1, one.record::json
  FROM held, unnest($5::text[]) WITH ORDINALITY AS one(record, place) ON CONFLICT DO NOTHING
)`;

/**
 * One of several writers of a token, each of them a child of the attempt: the row of the lock gives out the numbers, after
 * what the attempt has written itself. It renews nothing.
 */
const join = (s: string): string => `WITH held AS (
  UPDATE ${s}.locks l SET written = greatest(l.written, (
    SELECT max(n) FROM ${s}.records WHERE session = $1 AND token = $3::bigint), 0) + cardinality($4::text[])
  WHERE l.session = $1 AND l.owner = $2 AND l.token = $3::bigint RETURNING l.token, l.written
), written AS (
  INSERT INTO ${s}.records (session, token, n, record)
  SELECT $1, held.token, held.written - cardinality($4::text[]) + one.place, one.record::json
  FROM held, unnest($4::text[]) WITH ORDINALITY AS one(record, place)
) SELECT count(*)::int AS held FROM held`;

/**
 * The `records` of attempts whose lock is in `postgresLocks()` of the same database and schema.
 *
 * - `append` rejects with `WRITE_FENCED` once another attempt has been granted the lock, whatever this one believes;
 *   a write whose answer was lost is asked again and written once; `WRITE_FAILED` says whether that is known
 * - `replace` takes the place of all records in one statement
 * - there is no `appendSync`
 * - `read(session)` and `stream(session)` need no lock
 *
 * @param client a `pg.Pool` or a connected `pg.Client`; stays the caller's
 * @throws AttemptError `CONFIG_INVALID`
 */
export function postgresSession(client: PostgresClient, options: PostgresSessionOptions = {}): EngineRecords {
  expect(typeof client?.query === 'function', 'client', 'a pg.Pool or pg.Client', client);
  const s = quotedSchema(options.schema);
  const queries = new Queries(client);
  const append = `WITH ${held(s)}, ${insert(s)} SELECT count(*)::int AS held FROM held`;
  const replace = `WITH ${held(s)}, gone AS (
  DELETE FROM ${s}.records r USING held WHERE r.session = $1 AND (r.token, r.n) < (held.token, $4::bigint)
), ${insert(s)} SELECT count(*)::int AS held FROM held`;

  async function open(request: OpenRequest): Promise<OpenedSession> {
    const { session, joining = false, lease: { owner, token } } = request;
    const [row] = await queries.run(
      `SELECT (SELECT coalesce(max(n), 0) FROM ${s}.records WHERE session = $1 AND token = $3::bigint) AS last
       FROM ${s}.locks WHERE session = $1 AND owner = $2 AND token = $3::bigint`, [session, owner, token], QUERY_MS,
    );
    if (row === undefined) throw notHeldHere(session, 'database and schema');
    const write = async ({ first, records, replaces }: Batch): Promise<boolean> => {
      const claim = [session, owner, token];
      const [answer] = first === null ? await queries.run(join(s), [...claim, records], QUERY_MS)
        : await queries.run(replaces ? replace : append, [...claim, first, records], QUERY_MS);
      return answer?.['held'] === 1;
    };
    const has = async (n: number): Promise<boolean> => (await queries.run(
      `SELECT 1 FROM ${s}.records WHERE session = $1 AND token = $2::bigint AND n = $3::bigint`, [session, token, n], QUERY_MS,
    )).length > 0;
    return new RecordQueue(session, { write, has, isConnectionFailure }, joining ? null : Number(row['last']) + 1).opened();
  }

  async function page(session: string, after: string | null): Promise<RecordPage> {
    const [token, n] = (after ?? '-1 0').split(' ');
    const rows = await queries.run(
      `SELECT token, n, record::text AS record FROM ${s}.records
       WHERE session = $1 AND (token, n) > ($2::bigint, $3::bigint) ORDER BY token, n LIMIT ${PAGE}`, [session, token, n], QUERY_MS,
    );
    const last = rows.at(-1);
    return {
      entries: rows.map((row) => ({ record: JSON.parse(String(row['record'])) as unknown, token: Number(row['token']) })),
      end: last === undefined ? after : `${String(last['token'])} ${String(last['n'])}`,
    };
  }

  const stream = (session: string): AsyncGenerator<SessionEntry, void, undefined> => streamed((after) => page(session, after));

  return {
    async tokenFloor(session) {
      const [row] = await queries.run(`SELECT coalesce(max(token), 0) AS floor FROM ${s}.records WHERE session = $1`, [session], QUERY_MS);
      return Number(row?.['floor'] ?? 0);
    },
    open, page, stream,
    read: (session) => collected(stream(session)),
  };
}
