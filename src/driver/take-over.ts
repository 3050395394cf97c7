/**
 * Taking over (`takeOver`): while an attempt waits for its lock, it asks whoever holds it to end.
 * Owns: whom it asks, and when it looks again. Must not know: how an ask travels, what the holder makes of it.
 *
 * It asks and takes nothing: who was asked gives the lock back in its own bounds, and who has waited longer is served
 * first. Since it then asks that one, too, nobody before it keeps it waiting for longer than it takes to end.
 */
import type { Clock } from '../clock.js';
import { describe } from '../errors.js';
import type { Holder, LockStore } from '../locks/lock-store.js';
import { warn } from '../warnings.js';

/** How soon a holder that came between is noticed. A look is one listing of a directory, or one query. */
const LOOK_AGAIN_MS = 100;

export interface TakeOverParts {
  readonly locks: LockStore;
  readonly session: string;
  /** The id of the attempt that wants the lock. */
  readonly by: string;
  /** Of its own request: its own grant is not asked to end. */
  readonly owner: string;
  readonly clock: Clock;
}

/**
 * Asks each holder it meets to end, once.
 * @returns ends it, and withdraws what has not been heard
 */
export function askHoldersToEnd({ locks, session, by, owner, clock }: TakeOverParts): () => void {
  const over = new AbortController();
  let asked: string | null = null;
  let timer: unknown = null;
  let warned = false;
  const look = async (): Promise<void> => {
    const holder = (await locks.query(session))[0]?.holder;
    // Without an owner its record cannot be read just now: it may be our own grant.
    if (over.signal.aborted || !holder || holder.owner === null || holder.owner === owner) return;
    const whom = nameOf(holder);
    if (whom === asked) return;
    const answer = await locks.askHolder?.(session, holder, { as: 'superseded', by, signal: over.signal });
    if (answer === 'asked' || answer === 'refused') asked = whom;
  };
  const again = (): void => {
    timer = null;
    look().catch((error: unknown) => {
      if (!warned) warn('TAKE_OVER', `${session}: its holder could not be asked to end: ${describe(error)}`);
      warned = true;
    }).finally(() => {
      if (!over.signal.aborted) timer = clock.setTimeout(again, LOOK_AGAIN_MS);
    });
  };
  again();
  return () => {
    over.abort();
    if (timer !== null) clock.clearTimeout(timer);
  };
}

/** One grant: an owner is never used twice, and a token tells its renewals after a window apart. */
const nameOf = ({ owner, token }: Holder): string => `${token ?? ''} ${owner ?? ''}`;
