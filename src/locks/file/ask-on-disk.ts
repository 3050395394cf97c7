/**
 * Asking a holder in another process: an ask is laid in its room, and withdrawn when nobody wants it any more.
 * Must not know: how the holder hears it.
 */
import { randomUUID } from 'node:crypto';
import { refuses } from '../asking.js';
import type { AskAnswer, AskToEnd } from '../lock-store.js';
import { layAsk, removeAsk } from './asks.js';
import { occupantOf, recordOf } from './occupant.js';
import { isAbandoned } from './one-try.js';
import type { Places } from './session-path.js';

/**
 * Asks the grant of that token, if it holds the lock.
 * @throws the native error where the room cannot be written
 */
export function askOnDisk(places: Places, token: number | null, ask: AskToEnd): AskAnswer {
  const { lock, room, mode } = places;
  if (token === null || token < 1) return 'unknown'; // a plain lock, or a grant under way: nothing to address it by
  const holds = (): boolean => {
    const occupant = occupantOf(lock);
    return occupant.kind === 'owner' && occupant.name.token === token && !isAbandoned(lock, occupant, Date.now());
  };
  if (!holds()) return 'notHeld';
  const record = recordOf(lock, occupantOf(lock));
  if (record && refuses(record, ask.as)) return 'refused';
  if (ask.signal.aborted) return 'unknown';
  const name = layAsk(room, { token, as: ask.as }, randomUUID(), ask, mode);
  if (!holds()) { // given back while we wrote: nobody will hear it
    removeAsk(room, name);
    return 'notHeld';
  }
  ask.signal.addEventListener('abort', () => void removeAsk(room, name));
  return 'asked';
}
