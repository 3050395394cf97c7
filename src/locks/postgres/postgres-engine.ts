/**
 * PostgreSQL as an engine of locks: the statements, and what their rows mean. Owns nothing but its listening connection.
 */
import type { Clock } from '../../clock.js';
import { noticesOf } from '../engine/asks.js';
import { infoText, readInfo } from '../engine/info.js';
import {
  ALIVE_MS, type AskLaid, type EngineAsk, type EngineBusy, type EngineClaim, type EngineGrant, type EngineHolder,
  type EngineRelease, type EngineStatus, type EngineWaiter, type LockEngine, type Ring,
} from '../engine/lock-engine.js';
import type { AskAnswer, HolderInfo, LeaseNotice } from '../lock-store.js';
import { Bell, EPOCH } from './bell.js';
import { isConnectionFailure, sqlState, type ListeningClient, type Queries } from './client.js';
import { statementsIn, type Statements } from './statements.js';

/** No answer of a server takes this long; then its connection is given up, and another one is asked. */
const QUERY_MS = 4_500;

/** How long a grant waits for somebody who is writing in the session at this moment. */
const ROW_MS = 1_000;

type Row = Record<string, unknown>;
const numberOr = <T>(value: unknown, none: T): number | T => (value === null || value === undefined ? none : Number(value));

export class PostgresEngine implements LockEngine {
  readonly tokenScope = 'durable';
  /** A release that began before we were in line cannot see us: it has surely ended by then. */
  readonly firstLookMs = 25;
  readonly #queries: Queries;
  readonly #sql: Statements;
  readonly #bell: Bell;

  /** @param schema quoted */
  constructor(queries: Queries, schema: string, listener: () => ListeningClient | null, clock: Clock) {
    this.#queries = queries;
    this.#sql = statementsIn(schema);
    this.#bell = new Bell(listener, clock);
  }

  async acquire({ session, owner, leaseMs, info, wait }: EngineAsk): Promise<EngineGrant | EngineBusy> {
    const values = [session, owner, leaseMs, infoText(info, this.#bell.channel), String(ROW_MS)];
    let row: Row | undefined;
    try {
      if (wait) this.#bell.knock();
      row = wait ? await this.#one(this.#sql.acquireOrWait, [...values, ALIVE_MS, this.#bell.channel])
        : await this.#one(this.#sql.acquire, values);
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error;
      const { holder } = await this.read(session); // the row is being written under: it is held, if by a zombie
      return { status: 'busy', holder, endsInMs: 0, token: holder?.token ?? 0 };
    }
    if (row?.['token'] != null) {
      return { status: 'granted', token: Number(row['token']), isNew: row['is_new'] === true, epoch: EPOCH };
    }
    const ends = numberOr(row?.['ends_in'], Infinity);
    const token = numberOr(row?.['held_token'], 0);
    if (row?.['owner'] == null || ends < 0) return { status: 'busy', holder: null, endsInMs: Infinity, token };
    return { status: 'busy', holder: holderOf(row, token), endsInMs: ends, token };
  }

  async raise({ session, owner, token }: EngineClaim, floor: number): Promise<number | null> {
    const row = await this.#one(this.#sql.raise, [session, owner, token, floor]);
    return row === undefined ? null : Number(row['token']);
  }

  async renew({ session, owner, token }: EngineClaim, leaseMs: number, info: HolderInfo): Promise<readonly LeaseNotice[] | null> {
    // Somebody writing in the session (see fence.ts) holds the row: the next renewal waits for them again.
    const rowMs = Math.max(100, leaseMs / 3);
    const text = infoText(info, this.#bell.channel, 'with facts');
    const values = [session, owner, token, leaseMs, text, String(Math.ceil(rowMs))];
    const [row] = await this.#queries.run(this.#sql.renew, values, Math.min(QUERY_MS, Math.max(1_000, leaseMs)));
    return row === undefined ? null : noticesOf(Array.isArray(row['asked']) ? row['asked'] : []);
  }

  async ask(session: string, token: number, { id, as, notice }: AskLaid): Promise<AskAnswer> {
    const values = [session, token, as, JSON.stringify({ id, as, ...notice }), String(ROW_MS)];
    const row = await this.#one(this.#sql.ask, values);
    if (row?.['asked'] === 1) return 'asked';
    return row?.['held'] === true && as === 'superseded' ? 'refused' : 'notHeld';
  }

  async withdraw(session: string, token: number, { id }: AskLaid): Promise<void> {
    await this.#one(this.#sql.withdraw, [session, token, id]);
  }

  async release({ session, owner, token }: EngineClaim): Promise<EngineRelease> {
    const row = await this.#one(this.#sql.release, [session, owner, token]);
    if (row?.['freed'] === 1) return 'released';
    return row?.['already'] === true ? 'already' : 'notHeld';
  }

  async bury(session: string, owner: string, keepMs: number): Promise<boolean> {
    return (await this.#one(this.#sql.bury, [session, owner, keepMs]))?.['freed'] === true;
  }

  async force(session: string, token: number): Promise<boolean> {
    return (await this.#one(this.#sql.force, [session, '', token]))?.['freed'] === 1;
  }

  async read(session: string): Promise<EngineStatus> {
    const rows = await this.#queries.run(this.#sql.read, [session], QUERY_MS);
    const lock = rows.find((row) => row['kind'] === 'lock');
    return {
      now: numberOr(lock?.['now'], 0), token: numberOr(lock?.['token'], 0),
      holder: lock?.['owner'] == null ? null : holderOf(lock, lock['token']),
      waiting: rows.filter((row) => row['kind'] === 'waiter').map(waiterOf),
    };
  }

  async sessions(most: number): Promise<readonly string[]> {
    return (await this.#queries.run(this.#sql.sessions, [most], QUERY_MS)).map((row) => String(row['session']));
  }

  async leave(session: string, owner: string): Promise<void> {
    const row = await this.#one(this.#sql.leave, [session, owner]);
    // Neither in line nor granted: granted while it was asked, by a statement that it had to wait for and could not see yet.
    if (row?.['gone'] === 0 && row['freed'] === 0) await this.#one(this.#sql.leave, [session, owner]);
  }

  listen(_session: string, owner: string, ring: Ring): () => void {
    return this.#bell.listen(owner, ring);
  }

  isConnectionFailure(error: unknown): boolean {
    return isConnectionFailure(error);
  }

  async #one(text: string, values: unknown[]): Promise<Row | undefined> {
    return (await this.#queries.run(text, values, QUERY_MS))[0];
  }
}

function holderOf(row: Row, token: unknown): EngineHolder {
  return {
    ...readInfo(row['info']), owner: String(row['owner']), token: numberOr(token, null),
    since: numberOr(row['since'], null), until: numberOr(row['until'], null),
  };
}

function waiterOf(row: Row): EngineWaiter {
  const { attemptId, pid, host, instance } = readInfo(row['info']);
  return { attemptId: attemptId ?? '', pid: pid ?? 0, host: host ?? '', since: numberOr(row['since'], 0), instance };
}

