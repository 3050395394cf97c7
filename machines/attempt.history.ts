/**
 * What an invariant is judged by: the machine at a moment, what was commanded and told before it, what is really so.
 * Owns: types only. Must not know: what must hold.
 */
import type { SnapshotFrom } from 'xstate';
import type { commands } from './attempt.actions.js';
import type { AttemptMachine } from './attempt.machine.js';
import type { AttemptEvent } from './attempt.types.js';

/** The machine at one moment. */
export type Snapshot = Pick<SnapshotFrom<AttemptMachine>, 'value' | 'context' | 'status' | 'output'>;
export type Command = keyof typeof commands;
/** A timer of the machine is an event too; its type is whatever name XState gave it. */
export type Happening = AttemptEvent | { readonly type: `xstate.${string}` };

/** The last step, and what had been commanded and told in the attempt's life up to and with it. */
export interface History {
  readonly before: Snapshot;
  readonly event: Happening;
  /** In the order the machine named them. */
  readonly commands: readonly Command[];
  readonly starts: number;
  /** Of what was last requested: the driver was given the grant. */
  readonly granted: boolean;
  /** ... was told of its loss. */
  readonly lost: boolean;
  /** ... was asked to give it back, in an earlier step. */
  readonly releaseBegun: boolean;
  readonly writerOpen: boolean;
  /** The session is open for writing: since it was opened under the last grant. */
  readonly sessionOpen: boolean;
  readonly cleanupOpen: boolean;
  readonly timeoutCalls: number;
}

/** What is really so in the store, whoever knows of it. */
export interface World {
  /** `live`: the store holds a grant for us. `givenBack`: by our own release. `ended`: without us. */
  readonly grant: 'none' | 'live' | 'givenBack' | 'ended';
  /** A request of ours may still be granted. */
  readonly requestOpen: boolean;
}
