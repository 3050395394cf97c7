/** A machine of one's own, walked. */
import { attemptMachine } from '../../../machines/attempt.machine.js';
import { exploreAttempt, twoVariants } from '../../../src/testing/index.js';

/** Our machine with a guard of somebody's own, who thinks that a timeout keeps the lock. */
const theirs = attemptMachine.provide({
  guards: { canRelease: ({ context }) => context.work !== 'pending' && context.abort?.by !== 'timeout' },
});

const options = { variants: twoVariants, causes: ['user', 'timeout'], mostFound: 1 } as const;
const { worlds, violations } = exploreAttempt(options);
const found = exploreAttempt({ ...options, machine: theirs }).violations;

export const lines = [
  `ours: ${violations.length} violations in ${worlds} worlds`,
  `theirs: ${found.map(({ story }) => story).join('\n')}`,
];
console.log(lines.join('\n'));
// ours: 0 violations in 61612 worlds
// theirs: S14 violated: ended without an answer about the lock
//   An unknown answer is never treated as success.
//   with fence, cleanup, settleMs 80, waitMs 1000, run budget
//    1. start                                        -> acquiring.waiting      requestLock
//    2. the store grants
//    3. lock.granted                                 -> locked                 openSession
//    4. abort.timeout                                -> released               endOpening callOnTimeout tellWork
// S18 violated: abort.timeout gives back in another way for one cause than for another
//   Whether and how the lock is given back does not depend on who aborted; what is recorded about it does.
//   with fence, cleanup, settleMs 80, waitMs 1000, run budget
//    1. start                                        -> acquiring.waiting      requestLock
//    2. the store grants
//    3. lock.granted                                 -> locked                 openSession
//    4. abort.timeout                                -> released               endOpening callOnTimeout tellWork
// S6 violated: ended with a live grant, lease said to be neverHeld
//   In a final state the attempt has no live grant: not on disk, not in the store, not in any register or flag.
//   with fence, cleanup, settleMs 80, waitMs 1000, run budget
//    1. start                                        -> acquiring.waiting      requestLock
//    2. the store grants
//    3. lock.granted                                 -> locked                 openSession
//    4. abort.timeout                                -> released               endOpening callOnTimeout tellWork
