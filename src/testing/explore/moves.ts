/**
 * Everything that may happen next in a world of one attempt: an event reaches the machine, or the store moves alone.
 * Owns: the coupling of the two. Must not know: which world comes first, or what is checked.
 *
 * Time is left out but for one fact: timers may fire in any order and at any moment, except that when a timer as
 * long as a lease fires that began when nobody renewed, a lease not granted since has ended (assumption A2).
 */
import { pathOf, type Command } from '../../../machines/attempt.invariants.js';
import type { AttemptEvent } from '../../../machines/attempt.types.js';
import { SECTION_EVENTS, WINDOW_EVENTS, deliveries, type Driver } from './driver.js';
import type { EventIn, Step, Steps } from './states.js';
import { answers, storeMoves, strandedMove, type StoreMove } from './store.js';
import {
  GRANT, MAIL, forgetMail, grant, isFresh, outsideOf, pack, sendAsk, sendRequest, stateOf, type Mail,
} from './world.js';
import type { Habits } from './variants.js';

export interface Move {
  readonly to: number;
  /** Present where the machine took part. */
  readonly step?: Step;
}

/** An answer of the store that may be delivered now. It stays: it may be delivered again. */
interface Letter {
  readonly when: (outside: number, driver: Driver) => boolean;
  readonly of: (driver: Driver) => AttemptEvent;
  readonly note?: string;
}
const EARLIER = ' (to an earlier ask)';
const STRAY = ' (to a stray ask)';
const OLD = ' (about the first grant)';
const has = (mail: Mail) => (outside: number): boolean => (outside & MAIL[mail]) !== 0;
const letters: readonly Letter[] = [
  { when: answers.granted, of: (d) => ({ type: 'lock.granted', seq: d.requestSeq, token: d.requests }) },
  { when: answers.busy, of: (d) => ({ type: 'lock.busy', seq: d.requestSeq }) },
  { when: answers.unknown, of: (d) => ({ type: 'lock.unknown', seq: d.requestSeq }) },
  { when: has('confirmed'), of: (d) => ({ type: 'release.confirmed', seq: d.askSeq }) },
  { when: has('notHeld'), of: (d) => ({ type: 'release.notHeld', seq: d.askSeq }) },
  { when: (_, d) => d.asks > 0, of: (d) => ({ type: 'release.unknown', seq: d.askSeq }) },
  { when: has('confirmedEarlier'), note: EARLIER, of: (d) => ({ type: 'release.confirmed', seq: d.askSeq - 1 }) },
  { when: has('notHeldEarlier'), note: EARLIER, of: (d) => ({ type: 'release.notHeld', seq: d.askSeq - 1 }) },
  { when: (_, d) => d.asks > 1, note: EARLIER, of: (d) => ({ type: 'release.unknown', seq: d.askSeq - 1 }) },
  { when: has('confirmedStray'), note: STRAY, of: (d) => ({ type: 'release.confirmed', seq: d.straySeq }) },
  { when: has('notHeldStray'), note: STRAY, of: (d) => ({ type: 'release.notHeld', seq: d.straySeq }) },
  { when: (_, d) => d.straySeq > 0, note: STRAY, of: (d) => ({ type: 'release.unknown', seq: d.straySeq }) },
  // What concerns the grant before the last may be said at any time, true or not: it has to mean nothing.
  { when: (_, d) => d.oldRequestSeq > 0, note: OLD, of: (d) => ({ type: 'lock.granted', seq: d.oldRequestSeq, token: 1 }) },
  { when: (_, d) => d.oldRequestSeq > 0, note: OLD, of: (d) => ({ type: 'lock.unknown', seq: d.oldRequestSeq }) },
  { when: (_, d) => d.oldAskSeq > 0, note: OLD, of: (d) => ({ type: 'release.confirmed', seq: d.oldAskSeq }) },
  { when: (_, d) => d.oldAskSeq > 0, note: OLD, of: (d) => ({ type: 'release.notHeld', seq: d.oldAskSeq }) },
  { when: (_, d) => d.oldAskSeq > 0, note: OLD, of: (d) => ({ type: 'release.unknown', seq: d.oldAskSeq }) },
];

const REQUEST_LOCK: Command = 'requestLock';
const FIRST_MAIL = deliveries.length;
const LEASE_LOST = deliveries.findIndex(({ name }) => name === 'lease.lost');
const FIRST_STORE = FIRST_MAIL + letters.length;
const STRANDED = FIRST_STORE + storeMoves.length;
const FIRST_TIMER = STRANDED + 1;
/** No state of the machine has more timers pending than this. */
const MOST_TIMERS = 5;

const TIMERS = Array.from({ length: MOST_TIMERS }, (_, index): EventIn => ({ timers }) => timers[index]!.event);
const EVENTS: readonly EventIn[] = [...deliveries, ...letters].map(({ of }) => ({ driver }) => of(driver));

/** The move that fires the timer with this place among those pending. */
export const timerMove = (index: number): { move: number; eventIn: EventIn } =>
  ({ move: FIRST_TIMER + index, eventIn: TIMERS[index]! });

/** Moves are numbered: events the driver has cause for, answers under way, the store's own, timers. */
export const MOVES = FIRST_TIMER + MOST_TIMERS;

/** The number of a delivery or of a store's move, by its name. */
export function moveNamed(name: string): number {
  const delivery = deliveries.findIndex((one) => one.name === name);
  const storeMove = storeMoves.findIndex((one) => one.name === name);
  if (delivery < 0 && storeMove < 0) throw new RangeError(`no move is named "${name}"`);
  return delivery < 0 ? FIRST_STORE + storeMove : delivery;
}

export class Moves {
  /** Which deliveries are made at all: causes may be left out. */
  readonly #sends: readonly boolean[];

  constructor(readonly states: Steps, causes: readonly string[], { windows, sections }: Habits) {
    const sent = causes.map((cause) => `abort.${cause}`);
    this.#sends = deliveries.map(({ name }) => (name.startsWith('abort.') ? sent.includes(name)
      : (windows || !WINDOW_EVENTS.includes(name)) && (sections || !SECTION_EVENTS.includes(name))));
  }

  /** The world this move leads to from this one; null where it is not possible here. */
  make(world: number, move: number): Move | null {
    const id = stateOf(world);
    const outside = outsideOf(world);
    const { snapshot, driver, timers } = this.states.at(id);
    if (timers.length > MOST_TIMERS) throw new RangeError(`more than ${MOST_TIMERS} timers in ${pathOf(snapshot.value)}`);
    const isOver = snapshot.status === 'done';
    if (move >= FIRST_STORE && move < FIRST_TIMER) {
      if (move === STRANDED && !isOver) return null;
      const after = storeMoveAt(move).happen(outside, driver);
      return after < 0 ? null : { to: pack(id, settleFreshness(after)) };
    }
    if (isOver) return null; // The driver passes nothing to an attempt that has ended.
    if (move >= FIRST_TIMER) {
      const timer = timers[move - FIRST_TIMER];
      if (!timer) return null;
      const hasEnded = timer.outlastsLease && grant.get(outside) === GRANT.live && !isFresh.get(outside);
      return this.#tell(id, hasEnded ? grant.set(outside, GRANT.ended) : outside, move, TIMERS[move - FIRST_TIMER]!);
    }
    if (move >= FIRST_MAIL) {
      return letters[move - FIRST_MAIL]!.when(outside, driver) ? this.#tell(id, outside, move, EVENTS[move]!) : null;
    }
    if (!this.#sends[move] || !deliveries[move]!.when(driver)) return null;
    if (move === LEASE_LOST && grant.get(outside) !== GRANT.ended) return null;
    return this.#tell(id, outside, move, EVENTS[move]!);
  }

  #tell(id: number, outside: number, move: number, eventIn: EventIn): Move {
    const step = this.states.step(id, move, eventIn);
    let bits = step.commands.includes(REQUEST_LOCK) ? sendRequest(outside) : outside;
    if (step.ask !== 'none') bits = sendAsk(bits, step.ask);
    if (step.startsLongTimer) bits = isFresh.set(bits, step.isRenewing ? 1 : 0);
    if (this.states.at(step.to).snapshot.status === 'done') bits = forgetMail(bits);
    return { to: pack(step.to, settleFreshness(bits)), step };
  }

  /** The move in words, as a line of a story. */
  describe(world: number, move: number): string {
    const { snapshot, timers, driver } = this.states.at(stateOf(world));
    if (move >= FIRST_TIMER) return `timer ${timers[move - FIRST_TIMER]!.id.replace(/^xstate\.after\./, '')}`;
    if (move >= FIRST_STORE) return `the store ${storeMoveAt(move).name}`;
    if (move >= FIRST_MAIL) {
      const { of, note } = letters[move - FIRST_MAIL]!;
      return of(driver).type + (note ?? '');
    }
    return deliveries[move]!.name + (snapshot.context.abort ? ' (late)' : '');
  }

  /** Where the machine is in this world. */
  place(world: number): string {
    return pathOf(this.states.at(stateOf(world)).snapshot.value);
  }
}

const storeMoveAt = (move: number): StoreMove =>
  move === STRANDED ? strandedMove : storeMoves[move - FIRST_STORE]!;

/** Freshness is a fact about a live grant; of no other does it say anything. */
const settleFreshness = (bits: number): number => (grant.get(bits) === GRANT.live ? bits : isFresh.set(bits, 0));
