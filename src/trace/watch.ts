/**
 * Watches one machine and tells whoever listens. Costs a question a step while nobody does.
 * Owns: when a record is made. Must not know: who listens.
 */
import type { AttemptContext, AttemptEvent, AttemptInput, AttemptOutput } from '../../machines/attempt.types.js';
import type { Clock } from '../clock.js';
import { callSafely } from '../warnings.js';
import { recordsChannel } from './channels.js';
import {
  factsOf, recordedEnd, recordedEvent, recordedInput, TRACE_VERSION, type Command, type TraceRecord,
} from './record.js';

export interface Watched {
  readonly attemptId: string;
  readonly session: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly trace: ((record: TraceRecord) => void) | undefined;
}

export class Watch {
  readonly #of: Watched;
  readonly #input: AttemptInput;
  #begun: number | null = null;
  #isIntroduced = false;
  #n = 0;

  constructor(of: Watched, input: AttemptInput) {
    this.#of = of;
    this.#input = input;
  }

  /**
   * A step was made. Records are made now, while the facts are fresh, and told when `tell` says so.
   * @param tell called with what tells them; null if nobody listens, and then it is not called
   */
  step(
    event: AttemptEvent, from: string, to: string, commands: () => readonly Command[], context: AttemptContext,
    tell: (fn: () => void) => void,
  ): void {
    this.#n += 1;
    this.#begun ??= this.#of.clock.now(); // the only thing that must be asked while nobody listens
    if (!this.#isHeard()) return;
    this.#introduce(tell);
    this.#tell(tell, {
      ...this.#common(), kind: 'transition', n: this.#n, at: this.#since(this.#of.clock.now()), event: recordedEvent(event), from, to,
      commands: commands(), after: factsOf(context),
    });
  }

  ended(output: AttemptOutput): void {
    if (!this.#isHeard()) return;
    const at = this.#since(this.#of.clock.now());
    this.#tell((fn) => fn(), { ...this.#common(), kind: 'end', at, ...recordedEnd(output) });
  }

  #isHeard(): boolean {
    return this.#of.trace !== undefined || recordsChannel.hasSubscribers;
  }

  #since(now: number): number {
    return Math.round((now - (this.#begun ?? now)) * 1_000) / 1_000;
  }

  #common() {
    const { attemptId, session } = this.#of;
    return { v: TRACE_VERSION, attemptId, session } as const;
  }

  #introduce(tell: (fn: () => void) => void): void {
    if (this.#isIntroduced) return;
    this.#isIntroduced = true;
    const { labels, clock } = this.#of;
    this.#tell(tell, {
      // When the first step was made, which somebody who listens only now did not hear.
      ...this.#common(), kind: 'attempt', at: clock.wallNow() - this.#since(clock.now()), pid: process.pid, labels,
      input: recordedInput(this.#input),
    });
  }

  #tell(tell: (fn: () => void) => void, record: TraceRecord): void {
    const { trace } = this.#of;
    tell(() => {
      if (trace) callSafely('trace', () => trace(record));
      if (recordsChannel.hasSubscribers) recordsChannel.publish(record);
    });
  }
}
