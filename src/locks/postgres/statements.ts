/**
 * The statements behind a PostgreSQL lock. Each is one statement, so it suits PgBouncer in transaction mode, and each
 * judges expiry by `clock_timestamp()`: `now()` is when the transaction began, which may be before a wait for the row.
 *
 * Source: FIELD.md section 5. The row is the lock: whoever grants, renews, releases or buries holds the row while they
 * do, so of two who mean the same grant exactly one finds it.
 */

import { ALIVE_MS, MOST_ASKS, SURE_MS } from '../engine/lock-engine.js';

export interface Statements {
  readonly acquire: string;
  readonly acquireOrWait: string;
  readonly raise: string;
  readonly renew: string;
  readonly release: string;
  readonly ask: string;
  readonly withdraw: string;
  readonly bury: string;
  readonly force: string;
  readonly read: string;
  readonly sessions: string;
  readonly leave: string;
}

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;
const after = (parameter: string): string => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

/** Tells who is first in line to look: a hint, who misses it looks by itself. */
const wakeFirst = (s: string, when: string): string => `
  SELECT pg_notify(waits.channel, '0 ' || waits.owner) FROM (
    SELECT w.channel, w.owner FROM ${s}.waiters w
    WHERE w.session = $1 AND w.owner <> $2 AND w.seen_until > clock_timestamp() ORDER BY w.seq LIMIT 1
  ) waits WHERE ${when}`;

const inMs = (ms: number): string => `clock_timestamp() + interval '${ms} milliseconds'`;

/**
 * Gives the lock of `where` (a condition on its row, `l`) to who is first in line, if that one has looked so lately that
 * it is surely there; else to all, and then who is first is told to look. The row of the lock is held first, then that of
 * the waiter: so does whoever grants, and none of them waits for another in a circle. A waiter whose row is held can only
 * leave after us, finds that gone, and looks whether it was granted it (`leave`); one that has left is passed over. Who
 * joined since the statement began looks once more by itself (`firstLookMs`).
 *
 * `freed`: who has it now, if anybody, by which token. Nothing lasts unless it is told, so only a grant waits for the disk.
 */
const passOn = (s: string, where: string, freedBy: string): string => {
  // Asked of the row as it is when we have it: who has been buried meanwhile is granted nothing.
  const granted = (then: string, otherwise = 'NULL'): string => `CASE WHEN next.owner IS NOT NULL
      AND coalesce((l.buried ->> next.owner)::timestamptz < clock_timestamp(), true) THEN ${then} ELSE ${otherwise} END`;
  return `ours AS (
  SELECT l.session FROM ${s}.locks l WHERE l.session = $1 AND ${where} FOR UPDATE
), first AS (
  SELECT w.owner, w.channel, w.info, w.seen_until > ${inMs(SURE_MS)} AS sure FROM ours, LATERAL (
    SELECT * FROM ${s}.waiters w WHERE w.session = ours.session AND w.owner <> $2 AND w.seen_until > clock_timestamp()
    ORDER BY w.seq LIMIT 1 FOR UPDATE) w
), freed AS (
  UPDATE ${s}.locks l SET freed_by = ${freedBy}, asked = NULL, owner = ${granted('next.owner')}, info = ${granted('next.info')},
    token = ${granted('l.token + 1', 'l.token')}, since = ${granted('clock_timestamp()')}, expires_at = ${granted(inMs(ALIVE_MS))}
  FROM ours LEFT JOIN first next ON next.sure
  WHERE l.session = $1 AND ${where} RETURNING l.owner, l.token
), served AS (
  DELETE FROM ${s}.waiters w USING freed WHERE w.session = $1 AND w.owner = freed.owner
), told AS (
  SELECT pg_notify(first.channel, CASE WHEN freed.owner IS NULL THEN 0 ELSE freed.token END || ' ' || first.owner)
  FROM first, freed
)`;
};
const PASSED_ON = `(SELECT count(*) FROM freed)::int AS freed, (SELECT count(*) FROM told)::int AS told,
  (SELECT set_config('synchronous_commit', 'off', true) FROM freed WHERE owner IS NULL) AS lazily`;

/**
 * $1 session, $2 owner, $3 lease in ms, $4 info, $5 longest wait for the row in ms; $6 and $7 with waiting: for how
 * long we are seen, ms, and whom to notify.
 *
 * An owner that asks twice gets the same grant again: a lost reply is resolved by asking. Somebody writing in the
 * session (see fence.ts) holds the row: we wait for them, but not for ever. Only a grant waits for the disk: a place in
 * line that a crash forgets is taken again with the next look.
 */
function acquire(s: string, waits: boolean): string {
  const mayTake = `l.owner = $2 OR (
      (l.owner IS NULL OR l.expires_at < clock_timestamp())
      AND coalesce((l.buried ->> $2)::timestamptz < clock_timestamp(), true)
      AND NOT EXISTS (
        SELECT 1 FROM ${s}.waiters w WHERE w.session = $1 AND w.owner <> $2 AND w.seen_until > clock_timestamp()
          ${waits ? `AND w.seq < coalesce(
            (SELECT me.seq FROM ${s}.waiters me WHERE me.session = $1 AND me.owner = $2), 9223372036854775807)` : ''}
      ))`;
  const queue = `, queued AS (
  INSERT INTO ${s}.waiters AS w (session, owner, seen_until, channel, info)
  SELECT $1, $2, ${after('$6')}, $7, $4::json WHERE NOT EXISTS (SELECT 1 FROM granted)
  ON CONFLICT (session, owner) DO UPDATE SET seen_until = EXCLUDED.seen_until
), gone AS (
  DELETE FROM ${s}.waiters w WHERE w.session = $1
    AND ((w.owner = $2 AND EXISTS (SELECT 1 FROM granted)) OR w.seen_until < clock_timestamp() - interval '1 minute')
)`;
  return `WITH granted AS (
  INSERT INTO ${s}.locks AS l (session, token, owner, since, expires_at, info)
  SELECT $1, 1, $2, clock_timestamp(), ${after('$3')}, $4::json
  FROM (SELECT set_config('lock_timeout', $5, true)) bounded
  ON CONFLICT (session) DO UPDATE SET
    token = CASE WHEN l.owner = $2 THEN l.token ELSE l.token + 1 END,
    owner = $2, since = CASE WHEN l.owner = $2 THEN l.since ELSE clock_timestamp() END,
    expires_at = ${after('$3')}, info = EXCLUDED.info,
    asked = CASE WHEN l.owner = $2 THEN l.asked END
  WHERE ${mayTake}
  RETURNING l.token
)${waits ? queue : ''}
SELECT granted.token, l.session IS NULL AS is_new, l.token AS held_token, l.owner, l.info::text AS info,
  ${ms('l.since')} AS since, ${ms('l.expires_at')} AS until,
  ${ms('l.expires_at')} - ${ms('clock_timestamp()')} AS ends_in,
  CASE WHEN granted.token IS NULL THEN set_config('synchronous_commit', 'off', true) END AS lazily
FROM (SELECT 1) one LEFT JOIN granted ON true LEFT JOIN ${s}.locks l ON l.session = $1`;
}

/** @param s the schema, quoted */
export function statementsIn(s: string): Statements {
  return {
    acquire: acquire(s, false),
    acquireOrWait: acquire(s, true),
    // $1 session, $2 owner, $3 token, $4 the floor
    raise: `UPDATE ${s}.locks SET token = greatest(token, $4::bigint) + 1
WHERE session = $1 AND owner = $2 AND token = $3::bigint RETURNING token`,
    // $1 session, $2 owner, $3 token, $4 lease in ms, $5 info, $6 longest wait for the row in ms
    renew: `UPDATE ${s}.locks l SET expires_at = ${after('$4')}, info = $5::json
FROM (SELECT set_config('lock_timeout', $6, true)) bounded
WHERE l.session = $1 AND l.owner = $2 AND l.token = $3::bigint RETURNING l.asked`,
    // $1 session, $2 owner, $3 token. A crash of the server may undo it, and then the lease ends by itself: so it does
    // not wait for the disk, unless it grants.
    release: `WITH ${passOn(s, 'l.owner = $2 AND l.token = $3::bigint', '$2')}
SELECT ${PASSED_ON},
  EXISTS (SELECT 1 FROM ${s}.locks WHERE session = $1 AND freed_by = $2 AND token >= $3::bigint) AS already`,
    // $1 session, $2 token, $3 as, $4 what is laid, $5 longest wait for the row in ms
    ask: `WITH asked AS (
  UPDATE ${s}.locks l SET asked = CASE WHEN
    (SELECT count(*) FROM jsonb_array_elements(l.asked) one WHERE one ->> 'as' = $3::text) < ${MOST_ASKS}
    THEN coalesce(l.asked, '[]') || $4::jsonb ELSE l.asked END
  FROM (SELECT set_config('lock_timeout', $5, true)) bounded
  WHERE l.session = $1 AND l.token = $2::bigint AND l.owner IS NOT NULL AND l.expires_at >= clock_timestamp()
    AND NOT ($3::text = 'superseded' AND coalesce(l.info ->> 'supersedable', '') = 'false')
  RETURNING l.owner, l.info ->> 'bell' AS bell
), told AS (SELECT pg_notify(bell, '0 ' || owner) FROM asked WHERE bell <> '')
SELECT (SELECT count(*) FROM asked)::int AS asked, (SELECT count(*) FROM told)::int AS told,
  EXISTS (SELECT 1 FROM ${s}.locks WHERE session = $1 AND token = $2::bigint AND owner IS NOT NULL
    AND expires_at >= clock_timestamp()) AS held`,
    // $1 session, $2 token, $3 id
    withdraw: `UPDATE ${s}.locks SET asked = (SELECT jsonb_agg(one) FROM jsonb_array_elements(asked) one WHERE one ->> 'id' <> $3::text)
WHERE session = $1 AND token = $2::bigint AND asked IS NOT NULL`,
    // $1 session, $2 owner, $3 for how long, ms. In the row itself, so that no grant can slip past it.
    bury: `WITH buried AS (
  INSERT INTO ${s}.locks AS l (session, token, buried) VALUES ($1, 0, jsonb_build_object($2::text, ${after('$3')}))
  ON CONFLICT (session) DO UPDATE SET
    owner = CASE WHEN l.owner = $2 THEN NULL ELSE l.owner END,
    expires_at = CASE WHEN l.owner = $2 THEN '-infinity' ELSE l.expires_at END, -- by which it is told below
    freed_by = CASE WHEN l.owner = $2 THEN $2 ELSE l.freed_by END,
    buried = coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(l.buried)
      WHERE value::timestamptz > clock_timestamp()), '{}') || EXCLUDED.buried
  RETURNING coalesce(l.owner IS NULL AND l.freed_by = $2 AND l.expires_at = '-infinity', false) AS freed
), gone AS (
  DELETE FROM ${s}.waiters w WHERE w.session = $1 AND w.owner = $2
), woken AS (${wakeFirst(s, '(SELECT freed FROM buried)')})
SELECT (SELECT freed FROM buried) AS freed, (SELECT count(*) FROM woken)::int AS woken`,
    // $1 session, $2 nobody (''), $3 token
    force: `WITH ${passOn(s, 'l.owner IS NOT NULL AND l.token = $3::bigint', 'NULL')}
SELECT ${PASSED_ON}`,
    // $1 session
    read: `SELECT 'lock' AS kind, l.owner, l.token, l.info::text AS info, ${ms('l.since')} AS since, ${ms('l.expires_at')} AS until,
  0 AS seq, ${ms('clock_timestamp()')} AS now
FROM (SELECT 1) one LEFT JOIN ${s}.locks l ON l.session = $1
UNION ALL
SELECT 'waiter', owner, NULL, info::text, ${ms('since')}, NULL, seq, NULL FROM ${s}.waiters
WHERE session = $1 AND seen_until > clock_timestamp() ORDER BY seq`,
    // $1 how many
    sessions: `SELECT session FROM ${s}.locks WHERE owner IS NOT NULL ORDER BY session LIMIT $1::int`,
    // $1 session, $2 owner. Whoever is next may have been waiting for us; and we may have been granted it on our way out.
    leave: `WITH ${passOn(s, 'l.owner = $2', '$2')}, gone AS (
  DELETE FROM ${s}.waiters w WHERE w.session = $1 AND w.owner = $2 RETURNING 1
), woken AS (${wakeFirst(s, 'EXISTS (SELECT 1 FROM gone) AND NOT EXISTS (SELECT 1 FROM freed)')})
SELECT ${PASSED_ON}, (SELECT count(*) FROM gone)::int AS gone, (SELECT count(*) FROM woken)::int AS woken`,
  };
}
