/**
 * What can come out of one sequence besides "nothing wrong". Owns: the two kinds of it.
 * Must not know: which checks there are. A fault of the port is in `port.ts`.
 */
import type { ModeId } from './modes.js';

/** The runner broke a rule. `rule` is the mode whose case this is, whichever mode's sequences met it. */
export class Breach extends Error {
  constructor(
    readonly rule: ModeId,
    readonly expected: string,
    readonly seen: string,
  ) {
    super(`expected ${expected}; seen: ${seen}`);
    this.name = 'Breach';
  }
}

/** The sequence did not come to what it was made for: it says nothing, for or against. */
export class Inconclusive extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'Inconclusive';
  }
}
