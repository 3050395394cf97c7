/**
 * Proofs that a process is gone are dear (its record is read, and /proc), and asked for at every wake: so of one that
 * was just found alive, or not provably dead, they are not asked again for a while.
 */

/** A death is noticed this much later at most. The slow poll of those who wait is as slow. */
const BELIEVED_MS = 400;

/** One more forgets all: then each is looked at again. */
const MOST_REMEMBERED = 1_000;

const lookedAt = new Map<string, number>();

/** @param name what dies but once: an acquisition, a ticket; with the place it is in */
export function isFoundDead(name: string, look: () => boolean): boolean {
  const now = performance.now();
  if (now - (lookedAt.get(name) ?? -Infinity) < BELIEVED_MS) return false;
  const dead = look();
  if (!dead) {
    if (lookedAt.size >= MOST_REMEMBERED) lookedAt.clear();
    lookedAt.set(name, now);
  }
  return dead;
}
