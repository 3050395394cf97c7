/**
 * When does a grant have to be compared with what the session's records carry? Only where the engine may have
 * forgotten a token: a session it has never heard of, another history than when we last compared, or a token that is
 * not above one we have seen ourselves. Owns: what this process has seen, bounded.
 */
import type { EngineGrant } from './lock-engine.js';

interface Seen {
  readonly epoch: string;
  readonly token: number;
}

/** Sessions remembered. One more forgets the oldest: it is compared again, which is slow but right. */
const MOST_SESSIONS = 10_000;

export class Floors {
  readonly #seen = new Map<string, Seen>();

  /** The highest token this process knows to have been granted; 0 where none. */
  highest(session: string): number {
    return this.#seen.get(session)?.token ?? 0;
  }

  /** Has the token gone back, as far as this process can tell? */
  wentBack(session: string, { token }: EngineGrant): boolean {
    return token <= this.highest(session);
  }

  mustCompare(session: string, grant: EngineGrant): boolean {
    const seen = this.#seen.get(session);
    return seen === undefined || grant.isNew || grant.epoch === '' || grant.epoch !== seen.epoch
      || grant.token <= seen.token;
  }

  /** The session's records have been compared with this token, which is above them. */
  compared(session: string, epoch: string, token: number): void {
    const highest = Math.max(token, this.highest(session));
    this.#seen.delete(session);
    this.#seen.set(session, { epoch, token: highest });
    if (this.#seen.size <= MOST_SESSIONS) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      break;
    }
  }
}
