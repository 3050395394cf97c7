/**
 * Tries for a file lock without waiting or promises: what two processes do can then be put together call by call.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import properLockfile from 'proper-lockfile';
import type { Clock } from '../../../src/clock.js';
import type { FileLease } from '../../../src/locks/file/file-lease.js';
import { PLAIN_STALE_MS, tryOnce } from '../../../src/locks/file/one-try.js';
import { placesOf, type Places } from '../../../src/locks/file/session-path.js';
import { claimToken, clearAbandoned, openLedger } from '../../../src/locks/file/tokens.js';

export const LEASE_MS = 2_000;

/** Later than any lease and than any empty directory is believed in. */
export const AGES_MS = 60_000;

/** A clock that all "processes" of a test share and that a test can set forward. Nothing is timed by it. */
export class SharedClock implements Clock {
  aheadMs = 0;
  now = (): number => performance.now() + this.aheadMs;
  wallNow = (): number => Date.now() + this.aheadMs;
  sleeplessNow = (): number => performance.now() + this.aheadMs;
  setTimeout = (): null => null;
  clearTimeout = (): void => {};
}

/** One process's view of one session. */
export class Contender {
  readonly places: Places;
  readonly stuck: FileLease[] = [];

  constructor(readonly name: string, session: string, readonly clock: SharedClock) {
    this.places = placesOf(session, undefined, 'make');
  }

  /** From nothing to a lease with a token, in one go. Null: somebody else has it. Throws as a store would reject. */
  acquire(): FileLease | null {
    const lease = this.take();
    if (!lease) return null;
    try {
      if (this.confirm(lease)) return lease;
    } catch (error) {
      void lease.release();
      throw error;
    }
    void lease.release();
    return null;
  }

  /** @param isInLine it has waited before */
  take(isInLine = false): FileLease | null {
    const info = { attemptId: this.name, pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
    return tryOnce(properLockfile, this.places, randomUUID(), {
      session: this.places.session, owner: this.name, waitMs: 0, signal: new AbortController().signal, info,
    }, {
      clock: this.clock, leaseMs: LEASE_MS, renewMs: LEASE_MS / 3, loopDelayMs: () => 0, ended: () => {},
      passOn: () => false, stuck: (lease) => this.stuck.push(lease),
    }, isInLine);
  }

  confirm(lease: FileLease): boolean {
    const ledger = openLedger(this.places);
    const held = lease.confirm(claimToken(this.places.room, ledger, 0));
    clearAbandoned(this.places.room, ledger, this.clock.wallNow() - PLAIN_STALE_MS);
    return held;
  }
}

/** What lies in the session's room besides token and boot files. */
export function litterOf(places: Places): string[] {
  if (!existsSync(places.room)) return [];
  return readdirSync(places.room).filter((name) => !/^(token\.|boot\.|reports$)/.test(name));
}
