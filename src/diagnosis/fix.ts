/**
 * What `attempt doctor --fix` does: removes what is proved to serve nobody, each by one call on the very name that was
 * looked at, so that whatever has changed meanwhile is left alone. Owns: what counts as done.
 */
import { rmSync, unlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { describe } from '../errors.js';
import { codeOf } from '../locks/file/errno.js';
import { removeOwner } from '../locks/file/lock-removal.js';
import { occupantOf } from '../locks/file/occupant.js';
import { replaceableAt } from '../locks/file/one-try.js';
import type { Places } from '../locks/file/session-path.js';
import { isProvablyDead } from '../owner.js';
import { shortId } from '../text.js';
import type { SessionFacts } from './facts.js';
import type { Leftover } from './leftovers.js';
import { livenessOf } from './liveness.js';

export interface Fix {
  readonly path: string;
  /** What was meant to be done. */
  readonly what: string;
  readonly changed: boolean;
  /** Why nothing was changed. */
  readonly because: string | null;
}

function removed(path: string, what: string, remove: () => boolean): Fix {
  try {
    const changed = remove();
    return { path, what, changed, because: changed ? null : 'somebody else was quicker: it is not there any more' };
  } catch (error) {
    return { path, what, changed: false, because: describe(error) };
  }
}

function removeLeftover({ path, kind }: Leftover, places: Places): boolean {
  try {
    if (kind === 'lock') return removeOwner(places, basename(path));
    if (kind === 'directory') rmSync(path, { recursive: true });
    else unlinkSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Gone beyond doubt, or, where that is only nearly sure (another boot, a zombie), with a lease that has ended. */
const isProved = ({ occupant, record, places }: SessionFacts, now: number): boolean =>
  occupant.kind === 'owner' && record !== null && livenessOf(record, occupant.name.until, now).verdict === 'gone'
  && (isProvablyDead(record) || replaceableAt(occupantOf(places.lock), record.leaseMs ?? Infinity) <= now);

/** The lock of a process that is gone, looked at once more: as a takeover does, by the owner file's very name. */
function giveBackOfDead(facts: SessionFacts): Fix[] {
  const { places, occupant, record } = facts;
  if (occupant.kind !== 'owner' || !isProved(facts, Date.now())) return [];
  const who = `attempt ${shortId(record?.attemptId ?? 'unknown')} (token ${occupant.name.token})`;
  const what = `gave back the lock of ${who}, whose process is gone`;
  return [removed(places.lock, what, () => removeOwner(places, occupant.entry))];
}

/** Acts on what is proved, and on nothing else. @returns what was tried, with what came of it; empty: nothing to do */
export function fix(facts: SessionFacts): readonly Fix[] {
  const leftovers = facts.leftovers.filter(({ proved }) => proved)
    .map((one) => removed(one.path, `removed ${one.what}`, () => removeLeftover(one, facts.places)));
  return [...giveBackOfDead(facts), ...leftovers];
}
