/**
 * What is true of the lock in each state. The machine keeps this in its context, state by state unprovable
 * from its shape; so it is declared here, and a test walks the machine to hold every line of it against
 * `context.lock`.
 * Must not know: how any of it is drawn.
 */

/**
 * `held`: ours and known to be. `perhaps`: asked for, or of unknown fate, or being given back: somebody
 * else must still be assumed to be shut out. `not`: nothing of ours. `parts`: its parts say it.
 */
export type Held = 'held' | 'perhaps' | 'not' | 'parts';

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
  'running': { held: 'parts', says: 'the work runs; held but for windows' },
  'running.working': { held: 'held', says: 'held; the writer is open' },
  'running.yielding': { held: 'perhaps', says: 'being given back, renewal stopped' },
  'running.yielding.asking': { held: 'perhaps', says: '' },
  'running.yielding.pausing': { held: 'perhaps', says: '' },
  'running.yielded': { held: 'not', says: 'not held' },
  'running.reacquiring': { held: 'perhaps', says: 'asked for again' },
  'running.reacquiring.waiting': { held: 'perhaps', says: 'one request is out' },
  'running.reacquiring.opening': { held: 'perhaps', says: 'granted again' },
  'aborting': { held: 'perhaps', says: 'writer closed; held, or a window was cut short' },
  'aborting.user': { held: 'perhaps', says: '' },
  'aborting.timeout': { held: 'perhaps', says: '' },
  'aborting.shutdown': { held: 'perhaps', says: '' },
  'aborting.superseded': { held: 'perhaps', says: '' },
  'aborting.leaseLost': { held: 'perhaps', says: 'gone; or, after a window, given back if it still comes' },
  'cleaning': { held: 'held', says: 'held; last records' },
  'releasing': { held: 'perhaps', says: 'being given back, renewal stopped' },
  'releasing.asking': { held: 'perhaps', says: '' },
  'releasing.pausing': { held: 'perhaps', says: '' },
  'released': { held: 'not', says: 'not held; the only end' },
};
