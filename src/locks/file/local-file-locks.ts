/**
 * The default lock store: files on this machine, proper-lockfile underneath, its holes closed.
 * Owns: who waits, who is served next, what is told about it. The disk protocol is in `lock-directory.ts`.
 */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { Clock } from '../../clock.js';
import { identity } from '../../owner.js';
import { Leases } from '../heartbeat.js';
import { LocalQueue } from '../local-queue.js';
import { noticeOf, refuses } from '../asking.js';
import type {
  AcquireRequest, AcquireResult, AskAnswer, AskToEnd, Holder, LockStore, ReleaseAnswer, SessionStatus,
} from '../lock-store.js';
import { isStillWanted, waitFor } from '../patience.js';
import { Tombstones } from '../tombstones.js';
import type { FileLease } from './file-lease.js';
import { askOnDisk } from './ask-on-disk.js';
import { clearAsks } from './asks.js';
import { withWayOn } from './errno.js';
import { holderOf } from './holder.js';
import { ANSWER_MS, MOST_RENEW_MS } from './lease-times.js';
import { removeIf, removeOpen } from './lock-removal.js';
import { LOST_AGAIN, takeWithin } from './lost-again.js';
import { recordOf } from './occupant.js';
import { passOn, PLAIN_STALE_MS, tryOnce, type TrySettings } from './one-try.js';
import { checked, type LocalFileLocksOptions } from './file-locks-options.js';
import type { FilesystemCheck } from './safe-filesystem.js';
import { properLockfile } from './proper-lockfile.js';
import { placesOf, type Places } from './session-path.js';
import { claimToken, clearAbandoned, glanceAt, openLedger, readLedger, type TokenLedger } from './tokens.js';
import { waitersIn } from './tickets.js';
import { Turns } from './turns.js';

export type { LocalFileLocksOptions } from './file-locks-options.js';

/**
 * Locks in files, for sessions on a local file system. The lock is `<session>.lock`, where plain proper-lockfile puts
 * it; tokens and waiters lie in `<session>.attempt/`.
 *
 * Guarantees: one holder a session among all processes of this machine, plain proper-lockfile users included; a
 * takeover lets exactly one in; a stalled holder can neither delete, refresh nor shorten its successor's lock; tokens
 * rise across crashes and reboots; a crashed holder's lock is free when its lease has ended.
 * Does not detect: a wall clock that steps (a file lease may then be taken over early; the token keeps the zombie out);
 * a foreign program that deletes lock files; a plain lock whose owner was stopped for longer than its `stale` between
 * two calls of its own; the kind of file system anywhere but on Linux.
 * Source: proper-lockfile 4.1 through its `fs` option; the owner file and its renames are our own.
 *
 * @returns a LockStore with `tokenScope: "durable"`
 * @throws AttemptError `CONFIG_INVALID`
 */
export function localFileLocks(options: LocalFileLocksOptions = {}): LockStore {
  const { leaseMs, directory, filesystem, clock } = checked(options);
  return new LocalFileLocks(leaseMs, directory, filesystem, clock);
}

/** One request in line. */
interface Asker {
  readonly request: AcquireRequest;
  readonly places: Places;
  /** The lock, passed on to it by whoever held it in this process. */
  offer: FileLease | null;
}

class LocalFileLocks implements LockStore {
  readonly capabilities;
  readonly #clock: Clock;
  readonly #directory: string | undefined;
  readonly #filesystem: FilesystemCheck;
  readonly #leases: Leases<FileLease>;
  readonly #queue = new LocalQueue<Asker>();
  readonly #turns: Turns;
  readonly #tombstones: Tombstones;
  readonly #settings: TrySettings;

  constructor(leaseMs: number, directory: string | undefined, filesystem: FilesystemCheck, clock: Clock) {
    this.capabilities = { leaseMs, tokenScope: 'durable', fencedWrites: false } as const;
    this.#clock = clock;
    this.#directory = directory;
    this.#filesystem = filesystem;
    this.#leases = new Leases(clock, leaseMs);
    this.#tombstones = new Tombstones(clock, leaseMs + ANSWER_MS);
    this.#turns = new Turns(clock, leaseMs);
    this.#settings = {
      clock, leaseMs, renewMs: Math.min(MOST_RENEW_MS, leaseMs / 3),
      loopDelayMs: () => this.#leases.longestDelayMs,
      ended: (lease) => this.#leases.remove(lease), stuck: (lease) => this.#leases.add(lease),
      passOn: (lease) => this.#passOn(lease),
    };
  }

  acquire(request: AcquireRequest): Promise<AcquireResult> {
    const isWanted = (): boolean => this.#isWanted(request);
    return takeWithin(this.#clock, request.waitMs, isWanted, (waitMs) => this.#take(request, waitMs));
  }

  async #take(request: AcquireRequest, waitMs: number): Promise<AcquireResult | typeof LOST_AGAIN> {
    if (!isStillWanted(request)) return { status: 'busy', holder: null };
    const places = placesOf(request.session, this.#directory, 'make');
    this.#filesystem.check(dirname(places.lock));
    const until = this.#clock.now() + waitMs;
    const asker: Asker = { request, places, offer: null };
    const place = this.#queue.join(places.lock, asker);
    let leaveLine: (() => void) | null = null;
    try {
      if (!place.isFirst() && waitMs > 0) {
        leaveLine = this.#turns.lineAt(places).join(request.info);
        await waitFor(this.#clock, waitMs, request.signal, (woken) => {
          void place.turn.then(woken);
          return () => {};
        });
      }
      const plain = await properLockfile();
      // From here to a place that is left nothing is awaited out of turn: what was offered meanwhile would be nobody's.
      if (asker.offer) return await this.#accept(asker.offer, request, place.leave);
      while (place.isFirst() && this.#isWanted(request)) {
        const before = glanceAt(places.room);
        const front = waitMs === 0 ? null : this.#turns.frontOf(places, before.tickets);
        if (front === null) {
          const lease = tryOnce(plain, places, randomUUID(), request, this.#settings, leaveLine !== null);
          if (lease) return await this.#grant(lease, before, request, place.leave);
        }
        const leftMs = until - this.#clock.now();
        if (waitMs === 0 || leftMs <= 0) break;
        if (leaveLine) await this.#turns.untilChanged(places, front, leftMs, request.signal);
        else leaveLine = this.#turns.lineAt(places).join(request.info); // and look again: what happened has woken nobody
      }
      place.leave();
      return { status: 'busy', holder: this.#holderIfSeen(places) };
    } catch (error) {
      place.leave();
      throw withWayOn(error);
    } finally {
      leaveLine?.();
      this.#turns.forget(places);
      if (leaveLine && !this.#leases.find(({ owner }) => owner === request.owner)) removeOpen(places); // not granted
    }
  }

  async releaseOwner(session: string, owner: string): Promise<ReleaseAnswer> {
    this.#tombstones.bury(owner);
    const lease = this.#leases.find((one) => one.owner === owner);
    if (lease) return lease.release();
    try {
      const places = placesOf(session, this.#directory, 'read');
      return removeIf(places, (occupant) => recordOf(places.lock, occupant)?.owner === owner);
    } catch (error) {
      // What this instance grants to its own owners is a lease above: there is none, whatever the disk says.
      if (owner.includes(identity().instance)) return 'notHeld';
      throw error;
    }
  }

  async query(session?: string): Promise<readonly SessionStatus[]> {
    const all = session === undefined ? this.#queue.keys().flatMap((key) => this.#queue.waiting(key)[0]?.places.session ?? []) : [session];
    return all.map((one) => {
      const places = placesOf(one, this.#directory, 'read');
      return { session: places.session, holder: this.#holder(places), waiting: waitersIn(places.room) };
    });
  }

  async forceRelease(session: string, { token }: { readonly token: number }): Promise<ReleaseAnswer> {
    if (token < 1) return 'notHeld'; // 0 is a grant under way: it has no token to prove anything by
    const places = placesOf(session, this.#directory, 'read');
    const answer = removeIf(places, ({ name }) => name.token === token);
    if (answer === 'released') {
      this.#leases.find((one) => one.token === token && one.session === places.session)
        ?.takenByForce(`taken away by force (token ${token})`);
    }
    return answer;
  }

  async askHolder(session: string, { token }: Pick<Holder, 'token'>, ask: AskToEnd): Promise<AskAnswer> {
    const places = placesOf(session, this.#directory, 'read');
    const own = this.#leases.find((one) => one.token === token && one.session === places.session);
    if (!own) return askOnDisk(places, token, ask);
    if (refuses(own.info, ask.as)) return 'refused';
    return own.hear(noticeOf(ask)) ? 'asked' : 'notHeld';
  }

  #isWanted(request: AcquireRequest): boolean {
    return isStillWanted(request) && !this.#tombstones.has(request.owner);
  }

  #holder(places: Places): Holder | null {
    return holderOf(places, this.#leases.find((one) => one.session === places.session));
  }

  /** That the lock is taken has been answered already: who has it only explains. */
  #holderIfSeen(places: Places): Holder | null {
    try {
      return this.#holder(places);
    } catch {
      return null;
    }
  }

  /** From the owner file in place to a lease with a token. The heart beats for it from the start. */
  async #grant(
    lease: FileLease, seen: TokenLedger, request: AcquireRequest, leave: () => void,
  ): Promise<AcquireResult | typeof LOST_AGAIN> {
    const { places } = lease;
    this.#leases.add(lease);
    lease.onEnd(leave); // from now on the place in line is the lease's, however that ends
    if (seen.tickets.length > 0) lease.expectLine();
    try {
      const before = seen.current ? seen : openLedger(places); // an old claim is as good: it fails if it is too old
      const floor = before.current ? 0 : await request.tokenFloor?.() ?? 0;
      const granted = this.#isWanted(request)
        && lease.confirm(claimToken(places.room, before.current ? before : readLedger(places.room), floor));
      clearAbandoned(places.room, before, this.#clock.wallNow() - PLAIN_STALE_MS);
      clearAsks(places.room, before.asks, lease.token);
      this.#turns.served(places, before.tickets);
      if (granted) return { status: 'granted', lease };
    } catch (error) {
      await lease.release();
      throw error;
    }
    return this.#undo(lease, request);
  }

  /** The lock was passed on to us within this process. */
  async #accept(lease: FileLease, request: AcquireRequest, leave: () => void): Promise<AcquireResult | typeof LOST_AGAIN> {
    lease.onEnd(leave);
    if (this.#isWanted(request)) return { status: 'granted', lease };
    return this.#undo(lease, request);
  }

  async #undo(lease: FileLease, { session }: AcquireRequest): Promise<AcquireResult | typeof LOST_AGAIN> {
    if (await lease.release() !== 'unknown') return LOST_AGAIN;
    return { status: 'unknown', error: new Error(`${session}: not wanted any more, and not to be removed now`) };
  }

  /**
   * Gives a lock that is being given back to whoever is next in this process, with a token of its own: two renames
   * instead of taking the directory away and making it again.
   * @returns false if nobody here is next, or others have waited long enough: then it is given back to all
   */
  #passOn(lease: FileLease): boolean {
    const { places } = lease;
    const next = this.#queue.second(places.lock);
    if (!next || !this.#isWanted(next.request)) return false;
    const ledger = readLedger(places.room);
    if (!ledger.current) return false; // another boot's: the session has to be asked
    const how = this.#turns.mayPassOn(places, ledger.tickets, lease.passed);
    if (how === false || (how === 'freely' && lease.isOwedToAll)) return false;
    const token = claimToken(places.room, ledger, 0);
    clearAsks(places.room, ledger.asks, token);
    const often = how === 'freely' ? 0 : lease.passed + 1;
    const passed = passOn(lease, token, randomUUID(), next.request, this.#settings, often);
    if (passed === null) return false;
    if (ledger.tickets.length > 0) passed.expectLine();
    this.#leases.add(passed);
    next.offer = passed;
    return true;
  }
}
