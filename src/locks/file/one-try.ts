/**
 * One try for a file lock, through proper-lockfile, and what it takes to make a lease of it.
 */
import type lockfile from 'proper-lockfile';
import type { Clock } from '../../clock.js';
import { identity, isProvablyDead, processMark } from '../../owner.js';
import type { AcquireRequest } from '../lock-store.js';
import { FileLease } from './file-lease.js';
import { OwnLock } from './lock-directory.js';
import { occupantOf, recordOf, type Occupant } from './occupant.js';
import type { OwnerRecord } from './owner-entry.js';
import { isHeldElsewhere, NEVER_STALE_MS, ownerFilesystem } from './owner-filesystem.js';
import type { Places } from './session-path.js';

/**
 * The least age at which an empty lock directory is taken for a dead one: `stale` of plain proper-lockfile by
 * default. A plain user with a longer `stale` has to say so by a longer `leaseMs` here.
 */
export const PLAIN_STALE_MS = 10_000;

/** Clocks of one machine agree; what they may drift apart over a lease is 1 % (SPEC, assumption A2) and a tick. */
const marginOf = (leaseMs: number): number => leaseMs / 100 + 10;

export interface TrySettings {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly ended: (lease: FileLease) => void;
  /** The longest the heart has had to wait for its beat, milliseconds. */
  readonly loopDelayMs: () => number;
  /** Taken, failed, and not to be removed now: it ends with its lease unless it is released before. */
  readonly stuck: (lease: FileLease) => void;
}

/** When may an occupant be replaced, on the wall clock? Infinity: never by us. */
export function replaceableAt(occupant: Occupant, leaseMs: number): number {
  switch (occupant.kind) {
    case 'none': return -Infinity;
    case 'owner': return occupant.name.until + marginOf(leaseMs);
    case 'empty': return occupant.mtimeMs + Math.max(PLAIN_STALE_MS, leaseMs);
    case 'foreign': return Infinity;
  }
}

/**
 * A lease that ends later than any lease can, of a process that is gone: the wall clock has been set back since.
 * Nobody is left to correct it, and it would keep the session locked until then.
 */
function isOutOfTime(lock: string, occupant: Occupant, now: number): boolean {
  if (occupant.kind !== 'owner') return false;
  const record = recordOf(lock, occupant);
  if (record?.leaseMs === undefined) return false;
  if (occupant.name.until <= now + record.leaseMs + marginOf(record.leaseMs)) return false;
  const us = identity();
  const bootsKnown = us.boot !== null && typeof record.boot === 'string';
  const otherBoot = bootsKnown && record.host === us.host && record.boot !== us.boot;
  return otherBoot || isProvablyDead(record);
}

let loading: Promise<typeof lockfile> | undefined;

/** proper-lockfile puts exit hooks on the process when it is loaded: so it is loaded with the first lock, not before. */
export function properLockfile(): Promise<typeof lockfile> {
  return (loading ??= import('proper-lockfile').then((module) => module.default));
}

/**
 * Tries once to take the lock; all of it happens within this call.
 * @returns a lease that still has to be given its token (`confirm`), or null if somebody else holds the lock
 */
export function tryOnce(
  plain: typeof lockfile, places: Places, id: string, request: AcquireRequest, settings: TrySettings,
): FileLease | null {
  const { clock, leaseMs } = settings;
  const own = new OwnLock(places, id);
  const since = clock.wallNow();
  const mark = processMark();
  const record = (): OwnerRecord => ({
    id, session: places.session, owner: request.owner, attemptId: request.info.attemptId, ...mark, since, leaseMs,
    state: request.info.state, note: request.info.note, labels: request.info.labels,
    facts: request.info.facts ? { ...request.info.facts, loopDelayMs: settings.loopDelayMs() } : null,
  });
  let removed = false;
  let renewedAt = 0;
  const until = (): number => {
    renewedAt = clock.now(); // before the wall clock is asked: our own end must not be the later one
    return clock.wallNow() + leaseMs;
  };
  const fs = ownerFilesystem({
    take: () => own.take(record(), until()),
    look: () => occupantOf(places.lock),
    isDead: (occupant) => {
      const now = clock.wallNow();
      return replaceableAt(occupant, leaseMs) < now || isOutOfTime(places.lock, occupant, now);
    },
    takeOver: (occupant) => {
      if (occupant.kind === 'owner') return own.takeOver(occupant.entry, record(), until());
      return occupant.kind === 'empty' && own.populate(record(), until(), occupant);
    },
    giveBack: () => { removed = own.remove(); },
  });
  const leaseOf = (unlock: () => boolean): FileLease => new FileLease({
    own, owner: request.owner, info: request.info, clock, leaseMs, renewMs: settings.renewMs, record, unlock,
    ended: settings.ended,
  }, renewedAt);
  try {
    const unlock = plain.lockSync(`${places.lock}/${id}`, {
      lockfilePath: places.lock, realpath: false, fs, stale: NEVER_STALE_MS, retries: 0,
      onCompromised: () => {}, // cannot be: its stat and utimes are ours. Renewal and loss are the lease's own.
    });
    return leaseOf(() => {
      unlock();
      return removed;
    });
  } catch (error) {
    if (own.isTaken) leaveNothing(leaseOf(() => own.remove()), settings);
    if (isHeldElsewhere(error)) return null;
    throw error;
  }
}

/** In place, but a later step failed. What cannot be removed now stays findable, for whoever asks for its release. */
function leaveNothing(lease: FileLease, settings: TrySettings): void {
  settings.stuck(lease);
  void lease.release();
}
