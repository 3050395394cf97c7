/**
 * The attempt's side of the lock: asks for it, listens to it, gives it back. Reports facts, decides nothing.
 * A grant that nobody wants any more is given back here and counted.
 */
import type { AttemptEvent } from '../../machines/attempt.types.js';
import type { AttemptSpec } from '../options.js';
import { ownerOf } from '../owner.js';
import type { AcquireRequest, AcquireResult, HolderInfo, Lease, LeaseNotice, ReleaseAnswer } from '../locks/lock-store.js';
import { SleepMeter } from '../clock.js';
import { shown } from '../config-checks.js';
import { describe, NOT_WANTED, StopAsked } from '../errors.js';
import { callSafely, warn } from '../warnings.js';
import { giveBack } from './give-back.js';
import { LazyAbort, withSignal } from './lazy-abort.js';
import { nestedError } from './nesting.js';
import { askHoldersToEnd } from './take-over.js';

/** What the lock side needs of its driver. */
export interface LockSideHost {
  readonly info: HolderInfo;
  dispatch(event: AttemptEvent): void;
  /** Would the machine hear a grant now? */
  wantsGrant(): boolean;
  noticed(): void;
}

/** Whatever a store threw, as an error: "nothing" is what the machine takes for silence. */
const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(describe(thrown)));

/** Everything we ask of a lease. A store is somebody else's code: a wrong answer must not be taken for a lock. */
function isLease(lease: Partial<Lease> | null | undefined, hasTokens: boolean): lease is Lease {
  return typeof lease?.release === 'function' && typeof lease.onNotice === 'function'
    && typeof lease.deadline === 'number' && !Number.isNaN(lease.deadline)
    && (!hasTokens || (Number.isSafeInteger(lease.token) && (lease.token as number) >= 0));
}

export class LockSide {
  readonly #spec: AttemptSpec<unknown>;
  readonly #host: LockSideHost;
  /** Of the last request: a request of its own owner for each grant, so that a tombstone bars one and no other. */
  #owner: string;
  #wanted: LazyAbort | null = null;
  #requests = 0;
  #lease: Lease | null = null;
  /** Marked when the request went out: a lease may be counted from then, and the machine may sleep before we hear. */
  #sleep: SleepMeter | null = null;
  #unsubscribe: (() => void) | null = null;
  /** Ends the asking of holders, where we take over. */
  #stopAsking: () => void = () => {};

  constructor(spec: AttemptSpec<unknown>, host: LockSideHost) {
    this.#spec = spec;
    this.#host = host;
    this.#owner = ownerOf(spec.attemptId);
  }

  /** The last grant; null before there is one, and while another is asked for. */
  get lease(): Lease | null {
    return this.#lease;
  }

  /** What the machine has slept since the lease was asked for, as far as that may shorten it. Not to be asked for before. */
  get sleep(): SleepMeter {
    return this.#sleep as SleepMeter;
  }

  /** Performs `requestLock`: for the attempt, and once more at the end of each of its windows. */
  request(seq: number): void {
    const nested = this.#requests === 0 ? nestedError(this.#spec.session, this.#spec.locks) : null;
    if (nested) return this.#host.dispatch({ type: 'lock.busy', seq, holder: nested });
    const { locks, session, records, budgets, attemptId, clock } = this.#spec;
    this.#sleep = new SleepMeter(clock);
    const floor = records?.tokenFloor?.bind(records);
    const wanted = new LazyAbort();
    this.#leave();
    this.#lease = null;
    this.#wanted = wanted;
    this.#requests += 1;
    if (this.#requests > 1) this.#owner = `${ownerOf(attemptId)}~${this.#requests}`;
    let stopAsking = (): void => {};
    const answered = (fact: () => void): void => {
      this.#wanted = null; // a signal that fired later might end more than the request
      stopAsking();
      fact();
    };
    const asked = {
      session, owner: this.#owner, waitMs: budgets.waitMs, info: this.#host.info, isWanted: () => !wanted.isAborted,
    };
    const request: AcquireRequest = withSignal(
      floor && this.#spec.stamp ? Object.assign(asked, { tokenFloor: () => floor(session) }) : asked, wanted,
    );
    this.#ask(() => locks.acquire(request)).then(
      (result) => answered(() => this.#answered(seq, result)),
      (error: unknown) => answered(() => this.#host.dispatch({ type: 'lock.unknown', seq, error: asError(error) })),
    );
    // Once in its life: who gave the lock up for a window does not ask whoever has it since to end.
    if (!this.#spec.takeOver || this.#requests > 1) return;
    stopAsking = this.#stopAsking = askHoldersToEnd({ locks, session, by: attemptId, owner: this.#owner, clock });
  }

  /** Performs `cancelRequest`. */
  cancel(): void {
    this.#wanted?.abort(NOT_WANTED);
    this.#stopAsking();
  }

  /** Starts to listen to the lease. Facts that came before are told now, after the grant. */
  listen(lease: Lease): void {
    this.#unsubscribe = lease.onNotice((notice) => this.#heard(notice));
  }

  /** Performs `askRelease`: of the grant if it is known, else of whatever our owner holds. */
  release(seq: number): void {
    const { locks, session } = this.#spec;
    const lease = this.#lease;
    this.#ask<ReleaseAnswer>(() => (lease ? lease.release() : locks.releaseOwner(session, this.#owner))).then(
      (answer) => {
        if (answer === 'released') this.#host.dispatch({ type: 'release.confirmed', seq });
        else if (answer === 'notHeld') this.#host.dispatch({ type: 'release.notHeld', seq });
        else this.#host.dispatch({ type: 'release.unknown', seq, error: new Error('the store could not tell') });
      },
      (error: unknown) => this.#host.dispatch({ type: 'release.unknown', seq, error: asError(error) }),
    );
  }

  /** Nothing of ours is left on the lease or on the request. */
  close(): void {
    this.#leave();
    this.cancel();
  }

  /** What this lease still has to tell is no news of ours. */
  #leave(): void {
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = null;
    if (unsubscribe) callSafely(`${this.#spec.session}: the lease's unsubscribe`, unsubscribe);
  }

  /** A store that throws instead of rejecting has given the same answer. */
  async #ask<A>(fn: () => Promise<A>): Promise<A> {
    return fn();
  }

  #answered(seq: number, result: Partial<AcquireResult & { lease: Lease }> | null | undefined): void {
    const answer = (result ?? {}) as { status?: unknown; holder?: unknown; error?: unknown; lease?: Lease };
    const { status, lease } = answer;
    const { tokenScope, leaseMs } = this.#spec.locks.capabilities;
    if (status === 'busy') return this.#host.dispatch({ type: 'lock.busy', seq, holder: answer.holder });
    if (status === 'unknown') {
      return this.#host.dispatch({ type: 'lock.unknown', seq, error: asError(answer.error) });
    }
    const granted = status === 'granted' && isLease(lease, tokenScope !== 'none');
    if (typeof lease?.release === 'function') {
      if (!this.#host.wantsGrant()) return this.#late(lease);
      this.#lease = lease; // also of a lease we do not take: it is what the release goes by
    }
    if (granted) {
      // One who waited through a sleep is granted a whole lease after it: nothing of that lease has been slept away.
      if (this.sleep.isAwakeSince(lease.deadline - leaseMs)) this.sleep.mark();
      return this.#host.dispatch({ type: 'lock.granted', seq, token: tokenScope === 'none' ? null : lease.token });
    }
    const what = status === 'granted' ? 'a lease without token, deadline, release() or onNotice()' : shown(status);
    const error = new Error(`the store must answer granted, busy or unknown; it answered ${what}`);
    this.#host.dispatch({ type: 'lock.unknown', seq, error });
  }

  #heard(notice: LeaseNotice): void {
    if (notice.type === 'lost') this.#host.dispatch({ type: 'lease.lost', reason: notice.reason });
    else if (notice.type === 'superseded') this.#host.dispatch({ type: 'abort.superseded', reason: notice.by });
    else if (notice.type === 'stopped') this.#host.dispatch({ type: 'abort.user', reason: new StopAsked(notice) });
    else this.#host.noticed();
  }

  #late(lease: Lease): void {
    const { attemptId, session, locks, clock } = this.#spec;
    warn('LATE_GRANT', `A lock of ${session} arrived after attempt ${attemptId} had ended; it is given back.`);
    giveBack(lease, locks.capabilities.leaseMs, clock);
  }
}
