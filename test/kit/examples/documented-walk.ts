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
// S6 violated: ended with a live grant, lease said to be neverHeld
//    1. start                                        -> acquiring.waiting      requestLock
//    2. the store grants
//    3. lock.granted                                 -> locked                 openSession
//    4. abort.timeout                                -> released               endOpening callOnTimeout tellWork
