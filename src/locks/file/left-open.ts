/**
 * What this process has left open for those who wait, and nobody came for: it is taken away after a while, and when the
 * process ends. Who waits may be stopped, hung, killed just now, or out of our sight; only by this do plain proper-lockfile
 * users, who see nothing but the directory, get the lock then.
 */
import type { Clock } from '../../clock.js';
import { removeOwner } from './lock-removal.js';
import type { Places } from './session-path.js';

/** Who waits and runs comes within a few milliseconds, on a busy machine within some ten. */
const NOBODY_CAME_MS = 100;

const waitingFor = new Set<() => void>();

/** @param entry the name it was left open by: who came has renamed it, and is not touched */
export function takeAwayUnlessTaken(places: Places, entry: string, clock: Clock): void {
  const takeAway = (): void => {
    clock.clearTimeout(timer);
    waitingFor.delete(takeAway);
    if (waitingFor.size === 0) process.removeListener('exit', takeAllAway);
    try {
      removeOwner(places, entry);
    } catch { /* it is free all the same for whoever comes; `attempt doctor` names it */ }
  };
  const timer = clock.setTimeout(takeAway, NOBODY_CAME_MS, 'background');
  if (waitingFor.size === 0) process.on('exit', takeAllAway);
  waitingFor.add(takeAway);
}

/** For who ends without `exit`: by a signal. */
export function takeAllAway(): void {
  for (const takeAway of waitingFor) takeAway();
}
