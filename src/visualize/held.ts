/**
 * What is true of the lock in each state. The machine keeps this in its context, state by state unprovable
 * from its shape; so it is declared here, and a test walks the machine to hold every line of it against
 * `context.lock`.
 * Must not know: how any of it is drawn.
 */

/**
 * `held`: ours and known to be. `perhaps`: asked for, or of unknown fate, or being given back: somebody
 * else must still be assumed to be shut out. `not`: nothing of ours.
 */
export type Held = 'held' | 'perhaps' | 'not';

interface Truth {
  readonly held: Held;
  /** For the reader of the picture; '' where the name says it all. */
  readonly says: string;
}

export const lockIn: Readonly<Record<string, Truth>> = {
  'idle': { held: 'not', says: 'nothing asked or held' },
  'acquiring': { held: 'perhaps', says: 'the lock was asked for, once' },
  'acquiring.waiting': { held: 'perhaps', says: 'one request is out' },
  'acquiring.cancelling': { held: 'perhaps', says: 'no answer yet' },
  'locked': { held: 'held', says: 'held; no work yet' },
  'running': { held: 'held', says: 'held; the work runs' },
  'aborting': { held: 'held', says: 'the writer is closed' },
  'aborting.user': { held: 'held', says: '' },
  'aborting.timeout': { held: 'held', says: '' },
  'aborting.shutdown': { held: 'held', says: '' },
  'aborting.superseded': { held: 'held', says: '' },
  'aborting.leaseLost': { held: 'not', says: 'no longer held' },
  'cleaning': { held: 'held', says: 'held; last records' },
  'releasing': { held: 'perhaps', says: 'being given back, renewal stopped' },
  'releasing.asking': { held: 'perhaps', says: '' },
  'releasing.pausing': { held: 'perhaps', says: '' },
  'released': { held: 'not', says: 'not held; the only end' },
};
