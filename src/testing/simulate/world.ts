/**
 * What all simulated parts share: the time, the trace, the counts, and the first violation.
 * Owns: what a violation is. Must not know: what is checked.
 */
import { createHash } from 'node:crypto';
import { VirtualTime } from '../virtual-clock.js';

/** An invariant that did not hold, by its id in SPEC section 6. */
export interface Violation {
  readonly id: string;
  readonly what: string;
  readonly at: number;
  /** Lines of the trace before it. */
  readonly traceLength: number;
}

/** What a run counted, for the summary. */
export interface Counts {
  events: number;
  attempts: number;
  grants: number;
  takeovers: number;
  losses: number;
  crashes: number;
  standstills: number;
  /** Messages that were lost, late, doubled or answered with an error. */
  faults: number;
  /** Writes that came too late and were refused by a closed writer, a lost lease or the engine. */
  refused: number;
  /** Windows that were opened, those that ended with the lock in hand again, and sections begun. */
  windows: number;
  resumed: number;
  sections: number;
  /** Writes of zombies that went past every check, and of those, how many readers leave out. */
  rawWrites: number;
  leftOut: number;
  acknowledged: number;
}

export const noCounts = (): Counts => ({
  events: 0, attempts: 0, grants: 0, takeovers: 0, losses: 0, crashes: 0, standstills: 0, faults: 0,
  refused: 0, windows: 0, resumed: 0, sections: 0, rawWrites: 0, leftOut: 0, acknowledged: 0,
});

export class World {
  readonly time = new VirtualTime();
  readonly counts = noCounts();
  readonly trace: string[] = [];
  violation: Violation | null = null;

  constructor(readonly seed: number) {}

  /** `who` is what a story is filtered by: an attempt (`a3`), a process (`p1`), a session (`s0`). */
  tell(who: string, what: string): void {
    this.trace.push(`${String(Math.round(this.time.now)).padStart(6)} ${who.padEnd(4)} ${what}`);
  }

  /** The first violation ends the run. */
  violated(id: string, what: string): void {
    this.tell('!!', `${id} ${what}`);
    this.violation ??= { id, what, at: this.time.now, traceLength: this.trace.length };
  }

  check(id: string, holds: boolean, what: () => string): void {
    if (!holds) this.violated(id, what());
  }

  /** The same seed and options must give the same. */
  digest(): string {
    return createHash('sha256').update(this.trace.join('\n')).digest('hex').slice(0, 16);
  }
}
