/**
 * A process's client of the simulated lock: the LockStore its attempts are given.
 * Owns: waiting, and what a lost answer means. Must not know: attempts, faults.
 */
import type { AcquireRequest, AcquireResult, LockStore, ReleaseAnswer, SessionStatus } from '../../locks/lock-store.js';
import { waitFor } from '../../locks/patience.js';
import { LEASE_MS, type Grant } from './lock-server.js';
import { SimLease, type LeaseHost } from './sim-lease.js';

export const POLL_MS = 120;

/** An owner as the ledger has it. Owners are made by the driver and differ from machine to machine; the trace must not. */
export const nameOf = (owner: string): string => owner.slice(owner.lastIndexOf('-') + 1);

export interface LocksHost extends LeaseHost {
  asked(owner: string): void;
  /** A message that may bring a grant is sent. */
  tried(owner: string): void;
  granted(lease: SimLease): void;
}

export class SimLocks implements LockStore {
  readonly capabilities = { leaseMs: LEASE_MS, tokenScope: 'durable', fencedWrites: false } as const;

  constructor(readonly host: LocksHost) {}

  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    const { session, signal, waitMs } = request;
    const { clock, random } = this.host.process;
    const owner = nameOf(request.owner);
    this.host.asked(owner);
    const until = clock.now() + waitMs;
    let doubt: Error | null = null; // the last try was not answered: perhaps it was granted
    for (;;) {
      if (signal.aborted) return doubt ? { status: 'unknown', error: doubt } : { status: 'busy', holder: null };
      const askedAt = clock.now();
      const answer = await this.#try(session, owner);
      doubt = answer instanceof Error ? answer : null;
      if (answer instanceof Error) {
        if (random.chance(0.4)) return { status: 'unknown', error: answer };
      } else if ('grant' in answer) {
        await this.#pauseAtTimes();
        return this.#granted(request, answer.grant, askedAt);
      }
      else if (clock.now() >= until) return { status: 'busy', holder: null };
      if (doubt && clock.now() >= until) return { status: 'unknown', error: doubt };
      await waitFor(clock, random.between(POLL_MS / 2, POLL_MS), signal, () => () => {});
    }
  }

  async releaseOwner(session: string, owner: string): Promise<ReleaseAnswer> {
    const { network, server, process } = this.host;
    const name = nameOf(owner);
    return network.call(process, `releaseOwner ${name}`, () => server.release(session, name));
  }

  async query(): Promise<readonly SessionStatus[]> { return []; }

  async forceRelease(): Promise<ReleaseAnswer> { return 'unknown'; }

  async #try(session: string, owner: string): Promise<{ grant: Grant } | { holder: Grant | null } | Error> {
    this.host.tried(owner);
    const { network, server, process } = this.host;
    try {
      return await network.call(process, `acquire ${owner}`, (sentAt) => server.tryAcquire(session, owner, sentAt));
    } catch (error) {
      return error as Error; // perhaps granted, perhaps not
    }
  }

  /** A store that is slow to say what it was granted, and does not renew meanwhile. */
  async #pauseAtTimes(): Promise<void> {
    const { clock, random } = this.host.process;
    const pause = random.between(1_000, 9_000);
    if (!random.chance(0.05) || !this.host.network.faults) return;
    await new Promise<void>((resolve) => { clock.setTimeout(resolve, pause); });
  }

  /** A grant that nobody wants any more is given back here, or, by some stores, left to the driver. */
  async #granted({ session, signal }: AcquireRequest, grant: Grant, askedAt: number): Promise<AcquireResult> {
    const { random } = this.host.process;
    const lease = new SimLease(this.host, session, grant, askedAt);
    this.host.granted(lease);
    if (!signal.aborted || random.chance(0.5)) return { status: 'granted', lease };
    const answer = await lease.release();
    return answer === 'unknown'
      ? { status: 'unknown', error: new Error('granted too late, and its release was not answered') }
      : { status: 'busy', holder: null };
  }
}
