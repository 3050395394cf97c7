/**
 * One try for a file lock, through proper-lockfile, and what it takes to make a lease of it.
 */
import type lockfile from 'proper-lockfile';
import type { Clock } from '../../clock.js';
import { identity, isProvablyDead, processMark } from '../../owner.js';
import type { AcquireRequest, HolderInfo } from '../lock-store.js';
import { FileLease, type FileLeaseParts, type Hold } from './file-lease.js';
import { OwnLock } from './lock-directory.js';
import { occupantOf, OUR_MARK, recordOf, type Occupant } from './occupant.js';
import type { OwnerRecord } from './owner-entry.js';
import { isFoundDead } from './proof-of-death.js';
import { isHeldElsewhere, NEVER_STALE_MS, ownerFilesystem } from './owner-filesystem.js';
import type { Places } from './session-path.js';
import { stallMeter } from './stall.js';
import { isAwaited } from './tickets.js';

/**
 * The least age at which an empty lock directory is taken for a dead one: `stale` of plain proper-lockfile by
 * default. A plain user with a longer `stale` has to say so by a longer `leaseMs` here.
 */
export const PLAIN_STALE_MS = 10_000;

/**
 * An empty directory that bears our mark is a taking or a giving back under way, or one that died there. Who makes one
 * enters it at once or not at all (`take`), so this age proves nothing about its maker, and need not: a maker who comes
 * later finds that it is not its own any more. It only keeps takers from disturbing each other.
 */
const ENTERED_MS = 2_000;

/** Clocks of one machine agree; what they may drift apart over a lease is 1 % (SPEC, assumption A2) and a tick. */
const marginOf = (leaseMs: number): number => leaseMs / 100 + 10;

export interface TrySettings {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly ended: (lease: FileLease) => void;
  /** Passes a lease that is being given back to the next in this process. False: there is none. */
  readonly passOn: (lease: FileLease) => boolean;
  /** The longest the heart has had to wait for its beat, milliseconds. */
  readonly loopDelayMs: () => number;
  /** Taken, failed, and not to be removed now: it ends with its lease unless it is released before. */
  readonly stuck: (lease: FileLease) => void;
}

/** When may an occupant be replaced, on the wall clock? Infinity: never by us. */
export function replaceableAt(occupant: Occupant, leaseMs: number): number {
  switch (occupant.kind) {
    case 'none': case 'open': return -Infinity;
    case 'owner': return occupant.name.until + marginOf(leaseMs);
    case 'empty': return occupant.mtimeMs + (occupant.mode & OUR_MARK ? ENTERED_MS : Math.max(PLAIN_STALE_MS, leaseMs));
    case 'foreign': return Infinity;
  }
}

/** Is the holder provably gone? Then nobody needs to wait for the end of its lease. Unknown is not gone. */
export function isAbandoned(lock: string, occupant: Occupant, now: number): boolean {
  if (occupant.kind !== 'owner') return false;
  return isFoundDead(`${lock} ${occupant.name.id}`, () => {
    const record = recordOf(lock, occupant);
    return record !== null && (isProvablyDead(record) || isOutOfTime(record, occupant.name.until, now));
  });
}

/**
 * A lease that ends later than any lease can, of a process of another boot: the wall clock has been set back since.
 * Nobody is left to correct it, and it would keep the session locked until then.
 */
function isOutOfTime(record: Partial<OwnerRecord>, until: number, now: number): boolean {
  if (record.leaseMs === undefined || until <= now + record.leaseMs + marginOf(record.leaseMs)) return false;
  const us = identity();
  const bootsKnown = us.boot !== null && typeof record.boot === 'string';
  return bootsKnown && record.host === us.host && record.boot !== us.boot;
}

/** What is written before the grant is told is read after it. */
const stateOf = ({ state }: HolderInfo): string => (state.startsWith('acquiring') ? 'locked' : state);

/**
 * Tries once to take the lock; all of it happens within this call.
 * @param isInLine we have waited: it may have been left open for us, which is looked for first. Default: false
 * @returns a lease that still has to be given its token (`confirm`), or null if somebody else holds the lock
 */
export function tryOnce(
  plain: typeof lockfile, places: Places, id: string, request: AcquireRequest, settings: TrySettings, isInLine = false,
): FileLease | null {
  const { clock, leaseMs } = settings;
  const own = new OwnLock(places, id);
  const record = recorder(places, id, request, settings);
  const stalledMs = stallMeter(clock);
  let removed = false;
  let renewedAt = 0;
  const until = (): number => {
    renewedAt = clock.now(); // before the wall clock is asked: our own end must not be the later one
    return clock.wallNow() + leaseMs;
  };
  let unlock = (): boolean => hold.own.remove();
  const hold: Hold = { own, unlock: () => unlock() };
  const fs = ownerFilesystem({
    take: () => {
      const open = isInLine ? occupantOf(places.lock) : null; // what is left open is free, and for those in line
      if (open?.kind !== 'open' || !own.takeOver(open.entry, record(), until())) own.take(record(), until(), stalledMs);
    },
    look: () => occupantOf(places.lock),
    isDead: (occupant) => {
      const now = clock.wallNow();
      return replaceableAt(occupant, leaseMs) < now || isAbandoned(places.lock, occupant, now);
    },
    takeOver: (occupant) => {
      if (occupant.kind === 'owner' || occupant.kind === 'open') return own.takeOver(occupant.entry, record(), until());
      return occupant.kind === 'empty' && own.populate(record(), until(), occupant);
    },
    giveBack: () => { removed = hold.own.remove(); },
  });
  try {
    const release = plain.lockSync(`${places.lock}/${id}`, {
      lockfilePath: places.lock, realpath: false, fs, stale: NEVER_STALE_MS, retries: 0,
      onCompromised: () => {}, // cannot be: its stat and utimes are ours. Renewal and loss are the lease's own.
    });
    unlock = () => {
      release();
      return removed;
    };
    return leaseOf(hold, request, settings, { record, renewedAt, passed: 0, isOwedToAll: false });
  } catch (error) {
    if (own.isTaken) leaveNothing(leaseOf(hold, request, settings, { record, renewedAt, passed: 0, isOwedToAll: false }), settings);
    if (isHeldElsewhere(error)) return null;
    throw error;
  }
}

/** What is told about the holder: read anew each time, for its state moves. */
function recorder(places: Places, id: string, request: AcquireRequest, { clock, leaseMs, loopDelayMs }: TrySettings) {
  const since = clock.wallNow();
  const { host, boot, pidNamespace, pid, started } = processMark();
  return (): OwnerRecord => ({
    id, session: places.session, owner: request.owner, attemptId: request.info.attemptId,
    host, boot, pidNamespace, pid, started, since, leaseMs,
    state: stateOf(request.info), note: request.info.note, labels: request.info.labels,
    supersedable: request.info.supersedable ?? true,
    facts: request.info.facts ? { ...request.info.facts, loopDelayMs: loopDelayMs() } : null,
  });
}

function leaseOf(
  hold: Hold, { owner, info }: AcquireRequest, settings: TrySettings,
  more: Pick<FileLeaseParts, 'record' | 'passed' | 'isOwedToAll'> & { readonly renewedAt: number },
): FileLease {
  const { clock, leaseMs, renewMs, ended, passOn: pass } = settings;
  const { renewedAt, ...rest } = more;
  return new FileLease({
    own: hold.own, hold, owner, info, clock, leaseMs, renewMs, ended, passOn: pass, ...rest,
    isAwaited: () => isAwaited(hold.own.places.room),
  }, renewedAt);
}

/**
 * Makes another lease of one that is being given back, for the next in this process.
 * @param passed so often in a row, past others that wait
 * @returns null if it was not held any more, or could not be readied
 */
export function passOn(
  from: FileLease, token: number, id: string, request: AcquireRequest, settings: TrySettings, passed: number,
): FileLease | null {
  const { clock, leaseMs } = settings;
  const record = recorder(from.places, id, request, settings);
  const renewedAt = clock.now(); // before the wall clock is asked, as above
  const own = from.hold.own.passTo(id, token, clock.wallNow() + leaseMs);
  if (own === null) return null;
  from.hold.own = own;
  try {
    own.clearStaged();
  } catch {
    return null; // nobody is granted beside what may still be put in place: given back to all, by its new name
  }
  try {
    own.retell(record());
  } catch { /* it only explains; the next beat tells it again */ }
  return leaseOf(from.hold, request, settings, { record, renewedAt, passed, isOwedToAll: from.isOwedToAll });
}

/** In place, but a later step failed. What cannot be removed now stays findable, for whoever asks for its release. */
function leaveNothing(lease: FileLease, settings: TrySettings): void {
  settings.stuck(lease);
  void lease.release();
}
