/**
 * proper-lockfile's `fs`, answered by us: it asks for a directory, and gets our lock directory with its owner file.
 *
 * Its mkdir, stat and rmdir go through the owner file, so none of its calls can touch a lock that is not ours; its
 * utimes are no-ops and its stat says plainly dead or alive, so the whole lease policy lies on our side.
 * Source: the `fs` option of proper-lockfile 4.1 (lib/lockfile.js); what it calls, and in which order.
 */
import { codeOf } from './errno.js';
import type { Occupant } from './occupant.js';

/** What our side does at each of proper-lockfile's steps. */
export interface OwnerSteps {
  /** Take a free place. Throws EEXIST if it is taken. */
  take(): void;
  /** Who is there? */
  look(): Occupant;
  /** May that occupant be replaced now? */
  isDead(occupant: Occupant): boolean;
  /** Replace it. False if somebody else was quicker, or it has revived. */
  takeOver(occupant: Occupant): boolean;
  /** Give back what is ours, if it is. Also called by proper-lockfile's exit hook. */
  giveBack(): void;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** The longest `stale` its timers bear; its update timer (half of that) then never matters. */
export const NEVER_STALE_MS = 2 ** 31 - 1;

/**
 * Own enumerable functions, because proper-lockfile spreads the object; and no prototype, because it then adds to the
 * copy, and that costs Node more than all else proper-lockfile does, unless the copy is one without hidden class.
 */
export function ownerFilesystem(steps: OwnerSteps) {
  let phase: 'taking' | 'held' = 'taking';
  let seen: Occupant = { kind: 'none' };
  return Object.assign(Object.create(null) as object, {
    mkdirSync(): void {
      if (phase === 'held') return; // taken over in place
      steps.take();
      phase = 'held';
    },
    statSync(): { mtime: Date } {
      if (phase === 'held') return { mtime: new Date() };
      seen = steps.look();
      if (seen.kind === 'none') throw failure('ENOENT');
      return { mtime: new Date(steps.isDead(seen) ? 0 : Date.now()) };
    },
    rmdirSync(): void {
      if (phase === 'held') return steps.giveBack();
      // ENOENT sends proper-lockfile back to mkdir, where it learns that the place is taken.
      if (!steps.takeOver(seen)) throw failure('ENOENT');
      phase = 'held';
    },
    utimesSync(): void {},
    realpathSync: (path: string): string => path,
  });
}

/** proper-lockfile's way to say "somebody else has it". */
export const isHeldElsewhere = (error: unknown): boolean => ['ELOCKED', 'EEXIST'].includes(codeOf(error) ?? '');
