/**
 * The far side of the simulated lock: atomic operations, one at a time, and the ledger of all that was done.
 * Owns: the truth about who holds what; S1, S3, S7. Must not know: networks, attempts, what a holder believes.
 *
 * A message carries when it was sent. A lease is counted from there, so that what the holder believes never reaches
 * beyond what the server granted; a message older than `RPC_MS` is not executed.
 */
import type { ReleaseAnswer } from '../../locks/lock-store.js';
import type { World } from './world.js';

export const LEASE_MS = 3_000;
/** The longest a message is under way and still counts, and how long a client waits for its answer. */
export const RPC_MS = 800;

export interface Grant { readonly owner: string; readonly token: number; until: number }
type Ended = 'released' | 'taken over' | 'by force';
/** All that ever happened to a grant. */
export interface Entry { readonly grant: Grant; readonly at: number; ended: { readonly how: Ended; readonly at: number } | null }

interface Session { holder: Entry | null; lastToken: number; readonly entries: Entry[] }

/** The attempt that made this owner: it has one for each of its requests (`a3`, `a3~2`). */
export const attemptOf = (owner: string): string => owner.split('~')[0] as string;

export class LockServer {
  readonly #sessions = new Map<string, Session>();
  readonly #tombstones = new Set<string>();
  readonly #tokens = new Set<string>();

  /** @param floorOf the highest token a session's records carry */
  constructor(readonly world: World, readonly floorOf: (session: string) => number) {}

  /** A try: the grant, or who has it. Asked again by its owner, it gives the same grant, renewed. */
  tryAcquire(session: string, owner: string, sentAt: number): { grant: Grant } | { holder: Grant | null } {
    const it = this.#of(session);
    const { now } = this.world.time;
    if (this.#tombstones.has(owner)) return { holder: null };
    if (it.holder?.grant.owner === owner) {
      it.holder.grant.until = Math.max(it.holder.grant.until, sentAt + LEASE_MS); // whoever asks counts from this asking
      return { grant: { ...it.holder.grant } };
    }
    if (it.holder && it.holder.grant.until > now) return { holder: { ...it.holder.grant } };
    if (it.holder) {
      this.world.counts.takeovers += 1;
      this.#end(session, it, 'taken over');
    }
    it.lastToken = Math.max(it.lastToken, this.floorOf(session)) + 1;
    const grant = { owner, token: it.lastToken, until: sentAt + LEASE_MS };
    this.#granted(session, it, grant);
    return { grant: { ...grant } };
  }

  /** Renews, also a lease past its end that nobody has taken. False: it is not ours any more. */
  renew(session: string, owner: string, token: number, sentAt: number): boolean {
    const grant = this.#of(session).holder?.grant;
    if (grant?.owner !== owner || grant.token !== token) return false;
    grant.until = Math.max(grant.until, sentAt + LEASE_MS);
    return true;
  }

  release(session: string, owner: string): ReleaseAnswer {
    this.#tombstones.add(owner);
    const it = this.#of(session);
    if (it.holder?.grant.owner !== owner) return 'notHeld';
    this.#end(session, it, 'released', owner);
    return 'released';
  }

  /** Somebody takes the lock from whoever has it: the one case in which a holder may believe too long. */
  force(session: string): void {
    const it = this.#of(session);
    if (it.holder) this.#end(session, it, 'by force');
  }

  /** A grant of this attempt that is not over. */
  liveGrantOf(session: string, attempt: string): Grant | null {
    const grant = this.#of(session).holder?.grant;
    return grant && attemptOf(grant.owner) === attempt && grant.until > this.world.time.now ? grant : null;
  }

  entriesOf(session: string, attempt?: string): readonly Entry[] {
    const { entries } = this.#of(session);
    return attempt === undefined ? entries : entries.filter(({ grant }) => attemptOf(grant.owner) === attempt);
  }

  /** Has somebody been granted the session after this token? */
  isSucceeded(session: string, token: number): boolean {
    return this.#of(session).lastToken > token;
  }

  #granted(session: string, it: Session, grant: Grant): void {
    const { world } = this;
    const last = it.entries.at(-1);
    const key = `${session} ${grant.token}`;
    world.check('S1', !this.#tokens.has(key), () => `token ${grant.token} of ${session} was granted twice`);
    world.check('S3', !last || last.grant.token < grant.token, () => `token ${grant.token} came after ${last?.grant.token}`);
    this.#tokens.add(key);
    it.holder = { grant, at: world.time.now, ended: null };
    it.entries.push(it.holder);
    world.counts.grants += 1;
    world.tell(session, `granted to ${grant.owner}, token ${grant.token}, until ${Math.round(grant.until)}`);
  }

  #end(session: string, it: Session, how: Ended, by?: string): void {
    const { holder } = it;
    if (!holder) return;
    const { world } = this;
    world.check('S7', by === undefined || by === holder.grant.owner, () => `${by} ended the grant of ${holder.grant.owner}`);
    holder.ended = { how, at: world.time.now };
    it.holder = null;
    world.tell(session, `${how}: token ${holder.grant.token} of ${holder.grant.owner}`);
  }

  #of(session: string): Session {
    let it = this.#sessions.get(session);
    if (!it) this.#sessions.set(session, it = { holder: null, lastToken: 0, entries: [] });
    return it;
  }
}
