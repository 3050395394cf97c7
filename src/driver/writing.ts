/**
 * The writers of an attempt: one for the work, one for its cleanup, each open in its own state of the machine.
 * Owns: what the gate is asked about. Must not know: who writes, or what.
 */
import type { AttemptContext } from '../../machines/attempt.types.js';
import type { Clock } from '../clock.js';
import { WriteGate, type GateInputs, type LeaseCertainty } from '../session/gate.js';
import type { OpenedSession } from '../session/session-records.js';
import { createWriter, type TrackedWriter, type WriterOptions } from '../session/writer.js';

/** A state that writes. */
export type WritingState = 'running.working' | 'cleaning';

/** A writer and the way to end it. */
export interface Writing {
  readonly writer: TrackedWriter;
  /** No further write passes. */
  close(): void;
}

/** All is asked anew at every write: a yield window brings another lease, another token, a session opened again. */
export interface WritingParts {
  state(): string;
  context(): AttemptContext;
  /** Has the work asked for a yield window that is not over? */
  inWindow(): boolean;
  opened(): OpenedSession | null;
  certainty(): LeaseCertainty | null;
  readonly clock: Clock;
  readonly answerMs: number;
}

export const startWriting = (state: WritingState, parts: WritingParts): Writing => new WritingNow(state, parts);

/** A class, and so is the next, for their getters: see `live.ts`. */
class WritingNow implements Writing, GateInputs {
  readonly writer: TrackedWriter;
  readonly #state: WritingState;
  readonly #parts: WritingParts;
  #open = true;

  constructor(state: WritingState, parts: WritingParts) {
    this.#state = state;
    this.#parts = parts;
    this.writer = createWriter(new OptionsNow(new WriteGate(this), parts));
  }

  isOpen(): boolean {
    return this.#open && this.#parts.state() === this.#state;
  }

  isYielded(): boolean {
    return this.#open && this.#parts.inWindow() && this.#parts.state().startsWith('running');
  }

  isLost(): boolean {
    return this.#parts.context().lease === 'lost';
  }

  get certainty(): LeaseCertainty {
    return known(this.#parts.certainty());
  }

  get token(): number | null {
    return this.#parts.context().token;
  }

  close(): void {
    this.#open = false;
    this.writer.recheck();
  }
}

class OptionsNow implements WriterOptions {
  readonly #parts: WritingParts;

  constructor(readonly gate: WriteGate, parts: WritingParts) {
    this.#parts = parts;
  }

  get opened(): OpenedSession | null {
    return this.#parts.opened();
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get answerMs(): number {
    return this.#parts.answerMs;
  }
}

function known(certainty: LeaseCertainty | null): LeaseCertainty {
  if (!certainty) throw new Error('a writer was opened without a lease'); // the machine does not do that
  return certainty;
}
