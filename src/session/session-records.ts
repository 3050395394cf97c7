/**
 * The contract between an attempt and whatever keeps a session's records: a JSONL file, a table, a stream.
 * Types only. The writer (`writer.ts`) asks the gate; records only perform what passed it.
 */
import type { Lease } from '../locks/lock-store.js';
import type { SessionEntry } from './read-session.js';

/** A record: a plain object that JSON can carry. The key `$attempt` is reserved for the token. */
export type SessionRecord = { readonly [key: string]: unknown };

export interface OpenRequest {
  /** The session as the caller spelled it. `lease.session`, where present, is what the lock resolved it to. */
  readonly session: string;
  readonly lease: Lease;
  /** The token to stamp records with; null: write plain lines (`stamp: false`, or a store without tokens). */
  readonly token: number | null;
  /** How far the lock's token reaches; `process` means that no other process writes this session. */
  readonly tokenScope: 'durable' | 'until-failover' | 'process' | 'none';
  /** A child of the attempt opens what the attempt has open too: records with this very token are expected. */
  readonly joining?: boolean;
  /** Fires when the opening is no longer wanted. */
  readonly signal: AbortSignal;
}

/** Where `session.append` writes to. */
export interface SessionRecords {
  /** The highest token the session's records carry; 0 where there is none. Asked under the lock. */
  tokenFloor?(session: string): Promise<number>;
  /**
   * The records between two grants: with a token above `above` and below `below`, in order. Asked under the lock, when
   * a work has it back after a yield window: they are what others wrote meanwhile. Absent where that cannot be told.
   */
  recordsBetween?(session: string, above: number, below: number): Promise<readonly SessionEntry[]>;
  /** Opens for writing. Must not create the session: the first append does. */
  open(request: OpenRequest): OpenedSession | Promise<OpenedSession>;
}

/** An opened session. Every method is called only after the gate was asked, in the same tick. */
export interface OpenedSession {
  /** What keeps zombies out: `stamped` (readers or the engine go by the token) or `gated` (gate and lock only). */
  readonly fencing: 'stamped' | 'gated';
  /** Writes one record. The write begins in this call; a promise, where returned, ends when it is acknowledged. */
  append(record: SessionRecord): void | Promise<void>;
  /** The same, acknowledged on return. Absent where the engine cannot. */
  appendSync?(record: SessionRecord): void;
  /** Puts these records in place of all there are, at once or not at all. Absent where the engine cannot. */
  replace?(records: Iterable<SessionRecord>): void | Promise<void>;
  close(): void | Promise<void>;
}
