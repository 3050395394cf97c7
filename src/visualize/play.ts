/**
 * Plays a script on the machine and writes down what can be seen after each step. Around the machine stands the
 * smallest world that can be wronged: a store that has the lock or not, a writer that is open or not, and a next
 * attempt that asks for the lock.
 * Owns: the meaning of a step. Must not know: how a frame is drawn.
 */
import { createMachine, initialTransition, transition, type AnyMachineSnapshot, type SnapshotFrom } from 'xstate';
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptEvent, AttemptInput } from '../../machines/attempt.types.js';
import { lockIn, type Held } from './held.js';
import { doingWords } from './words.js';

/** What happens next. `says` is for the reader. */
export type Step = { readonly says: string } & (
  | { readonly send: AttemptEvent }
  | { readonly timer: string }
  /** The store answers what was asked of it last, if anything was. */
  | { readonly store: 'grants' | 'confirms' | 'is silent' | 'fails' }
  | { readonly session: 'opened' }
  | { readonly write: true }
  | { readonly next: 'asks' });

export interface Frame {
  readonly says: string;
  readonly state: string;
  /** Of this attempt. `leak`: the attempt has ended and the store still has its lock. */
  readonly lock: Held | 'leak';
  readonly writerOpen: boolean;
  readonly does: readonly string[];
  /** The frame shows the harm the incident is about. */
  readonly isHarm: boolean;
}

export interface Played {
  readonly frames: readonly Frame[];
  readonly lease: string | null;
}

const input: AttemptInput = {
  budgets: {
    waitMs: 60_000, answerMs: 5_000, openMs: 5_000, timeoutMs: 120_000, idleTimeoutMs: Infinity,
    settleMs: 2_000, cleanupMs: 5_000, leaseMs: 10_000,
  },
  hasCleanup: false, onUnsettled: 'fence', leaseEnds: true,
};

type Snapshot = SnapshotFrom<AttemptMachine>;
type Patch = (states: Record<string, any>) => Record<string, any>;

/** The machine with some of its states written otherwise: how an incident's bug is put into it. */
export function withStates(machine: AttemptMachine, patch: Patch): AttemptMachine {
  const { config, implementations } = machine;
  const states = patch(config.states as Record<string, any>);
  return createMachine({ ...config, states } as never, implementations as never) as unknown as AttemptMachine;
}

const pathOf = (snapshot: Snapshot): string => {
  const nodes = (snapshot as AnyMachineSnapshot)._nodes.map(({ path }) => path);
  return nodes.reduce((deepest, path) => (path.length > deepest.length ? path : deepest), []).join('.');
};

/** The world of one script. */
class World {
  readonly #machine: AttemptMachine;
  #snapshot: Snapshot;
  #storeHas = false;
  #writerOpen = false;
  /** Numbers of what is out at the store: a request, an ask for release. */
  #request: number | null = null;
  #ask: number | null = null;
  #nextHas = false;

  constructor(machine: AttemptMachine) {
    this.#machine = machine;
    [this.#snapshot] = initialTransition(machine, input);
  }

  get lease(): string | null {
    return this.#snapshot.context.lease;
  }

  step(step: Step): Frame {
    const { does, isHarm = false } = this.#take(step);
    const state = pathOf(this.#snapshot);
    const ended = state === 'released';
    const lock = ended && this.#storeHas ? 'leak' : this.#held(state);
    return { says: step.says, state, lock, writerOpen: this.#writerOpen, does, isHarm };
  }

  /** What the attempt itself may count on: the table of the picture, made exact by what it remembers. */
  #held(state: string): Held {
    const { lock } = this.#snapshot.context;
    if (lock === 'held') return 'held';
    if (lock === 'asked' || lock === 'known') return 'perhaps';
    return lockIn[state]?.held === 'held' ? 'held' : 'not';
  }

  #take(step: Step): { does: readonly string[]; isHarm?: boolean } {
    if ('send' in step) return this.#send(step.send);
    if ('timer' in step) return this.#timer(step.timer);
    if ('session' in step) return this.#send({ type: 'session.opened', seq: this.#snapshot.context.seq });
    if ('store' in step) return this.#answer(step.store);
    if ('write' in step) return this.#write();
    if (this.#storeHas) return { does: ['refused: the session is locked'], isHarm: true };
    this.#nextHas = true;
    return { does: ['granted at once'] };
  }

  #write(): { does: readonly string[]; isHarm: boolean } {
    if (!this.#writerOpen) return { does: ['refused: the writer is closed'], isHarm: false };
    return { does: [this.#nextHas ? 'written, among the records of the next' : 'written'], isHarm: this.#nextHas };
  }

  #timer(name: string): { does: readonly string[] } {
    const timers = (this.#snapshot as AnyMachineSnapshot)._nodes.flatMap((node) => node.after);
    const timer = timers.find(({ delay }) => delay === name);
    return timer ? this.#send({ type: timer.eventType } as never) : { does: ['no such limit is running'] };
  }

  #answer(how: 'grants' | 'confirms' | 'is silent' | 'fails'): { does: readonly string[]; isHarm?: boolean } {
    if (how === 'grants') {
      if (this.#request === null) return { does: ['nothing was asked for'] };
      const seq = this.#request;
      this.#request = null;
      this.#storeHas = true;
      const taken = this.#send({ type: 'lock.granted', seq, token: 7 });
      const isHarm = pathOf(this.#snapshot) === 'released';
      return isHarm ? { does: ['held, by an attempt that has ended'], isHarm } : taken;
    }
    if (this.#ask === null) return { does: ['nothing was asked of it'] };
    const seq = this.#ask;
    if (how === 'is silent') return { does: [] };
    if (how === 'fails') return this.#send({ type: 'release.unknown', seq });
    this.#storeHas = false;
    return this.#send({ type: 'release.confirmed', seq });
  }

  #send(event: AttemptEvent): { does: readonly string[] } {
    if (this.#snapshot.status !== 'active') return { does: ['nobody listens: it has ended'] };
    const before = this.#snapshot;
    const [after, actions] = transition(this.#machine, before, event);
    this.#snapshot = after;
    for (const { type } of actions) this.#heed(type);
    if (after.context.lease === 'expired') this.#storeHas = false; // by itself: the store lets others have it
    const records = recordsOf(before, after);
    return { does: doingWords([...actions.map(({ type }) => type), ...records]) };
  }

  #heed(command: string): void {
    if (command === 'requestLock') this.#request = this.#snapshot.context.request;
    if (command === 'askRelease') this.#ask = this.#snapshot.context.seq;
    if (command === 'startWork' || command === 'resumeWork') this.#writerOpen = true;
    if (command === 'closeWriter') this.#writerOpen = false;
  }
}

/** Records leave no action behind, only a changed memory. */
function recordsOf({ context: before }: Snapshot, { context: after }: Snapshot): string[] {
  return [
    ...(after.abandoned && !before.abandoned ? ['markAbandoned'] : []),
    ...(after.lateAborts.length > before.lateAborts.length ? ['recordLateAbort'] : []),
    ...(after.unsettled && !before.unsettled ? ['recordUnsettled'] : []),
  ];
}

/** @returns a frame for each step, and what became of the lease. */
export function play(machine: AttemptMachine, script: readonly Step[]): Played {
  const world = new World(machine);
  const frames = script.map((step) => world.step(step));
  return { frames, lease: world.lease };
}
