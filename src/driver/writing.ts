/**
 * The writers of an attempt: one for the work, one for its cleanup, each open in its own state of the machine.
 * Owns: what the gate is asked about. Must not know: who writes, or what.
 */
import type { AttemptContext } from '../../machines/attempt.types.js';
import type { Clock } from '../clock.js';
import { WriteGate, type LeaseCertainty } from '../session/gate.js';
import type { OpenedSession } from '../session/session-records.js';
import { createWriter, type TrackedWriter } from '../session/writer.js';

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

export function startWriting(state: WritingState, parts: WritingParts): Writing {
  let open = true;
  const isYielded = (): boolean => open && state === 'running.working' && parts.state().startsWith('running')
    && (parts.inWindow() || parts.state() !== state);
  const gate = new WriteGate({
    isOpen: () => open && parts.state() === state,
    isYielded,
    isLost: () => parts.context().lease === 'lost',
    get certainty() { return known(parts.certainty()); },
    get token() { return parts.context().token; },
  });
  const { clock, answerMs } = parts;
  const writer = createWriter({ gate, get opened() { return parts.opened(); }, clock, answerMs });
  return {
    writer,
    close: () => {
      open = false;
      writer.recheck();
    },
  };
}

function known(certainty: LeaseCertainty | null): LeaseCertainty {
  if (!certainty) throw new Error('a writer was opened without a lease'); // the machine does not do that
  return certainty;
}
