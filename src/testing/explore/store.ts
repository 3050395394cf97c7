/**
 * The adversarial store: everything a store may do with what it was asked, at any time, with or without an answer.
 * Owns: the moves that happen inside the store. Must not know: the machine.
 *
 * It keeps only what SPEC section 4 promises of a store: one holder at a time; release compares the holder; a
 * release by owner is also a tombstone. It may sit on a request for ever, grant it after saying "unknown", perform
 * a release and say nothing, or say "unknown" and perform it later. It performs one ask once: a store whose client
 * repeats a release by itself cannot tell its own success from a loss, and has to answer "unknown".
 * Its leases end when nobody renews them, and those that are renewed may be lost too (a stalled process, a
 * takeover, a forced release).
 */
import { ASK, GRANT, MAIL, REQUEST, grant, isFresh, request, tombstone } from './world.js';
import type { Driver } from './driver.js';

export interface StoreMove {
  readonly name: string;
  /** The outside afterwards, or -1 where this cannot happen. */
  readonly happen: (outside: number, driver: Driver) => number;
}

const isOpen = (bits: number): boolean => request.get(bits) === REQUEST.open;
const isLive = (bits: number): boolean => grant.get(bits) === GRANT.live;

const give = (bits: number): number =>
  isOpen(bits) && grant.get(bits) === GRANT.none && !tombstone.get(bits)
    ? isFresh.set(grant.set(bits, GRANT.live), 1) : -1;

const refuse = (bits: number): number =>
  isOpen(bits) && grant.get(bits) === GRANT.none ? request.set(bits, REQUEST.closed) : -1;

const end = (bits: number): number => (isLive(bits) ? grant.set(bits, GRANT.ended) : -1);

/** A grant that lands after the signal fired is given back by the store itself. The request is over with that. */
const giveBackUnwanted = (bits: number, { cancelled, granted }: Driver): number =>
  cancelled && !granted && isLive(bits)
    ? request.set(grant.set(bits, GRANT.givenBack), REQUEST.closed) : -1;

/** Performs a release: by owner it also bars every later grant. */
const release = (bits: number, isByOwner: boolean): number => {
  const freed = isLive(bits) ? grant.set(bits, GRANT.givenBack) : bits;
  return isByOwner ? tombstone.set(freed, 1) : freed;
};

type AskName = keyof typeof ASK;
const MAIL_OF = {
  last: { confirmed: MAIL.confirmed, notHeld: MAIL.notHeld },
  earlier: { confirmed: MAIL.confirmedEarlier, notHeld: MAIL.notHeldEarlier },
  stray: { confirmed: MAIL.confirmedStray, notHeld: MAIL.notHeldStray },
} as const;

function askMoves(ask: AskName): StoreMove[] {
  const isByOwner = (driver: Driver): boolean => ask === 'stray' || driver.askedByOwner;
  const mail = MAIL_OF[ask];
  const on = (act: (bits: number, driver: Driver) => number) => (bits: number, driver: Driver): number =>
    bits & ASK[ask] ? act(bits, driver) : -1;
  const performed = (bits: number, driver: Driver): number => release(bits & ~ASK[ask], isByOwner(driver));
  return [
    { name: `performs the ${ask} ask for release and answers`,
      happen: on((bits, d) => performed(bits, d) | (isLive(bits) ? mail.confirmed : mail.notHeld)) },
    { name: `performs the ${ask} ask for release, and the answer is lost`, happen: on(performed) },
  ];
}

/** A grant to nobody: it came after the end, and the driver gives it back. */
const giveBackStranded = (bits: number, driver: Driver): number =>
  isLive(bits) && !driver.granted ? grant.set(bits, GRANT.givenBack) : -1;

/** What the store can have answered to the request. "Unknown" closes nothing: a grant may be there, or still come. */
export const answers = {
  granted: (bits: number): boolean => isOpen(bits) && grant.get(bits) !== GRANT.none,
  busy: (bits: number): boolean => request.get(bits) === REQUEST.closed,
  unknown: (bits: number): boolean => request.get(bits) !== REQUEST.none,
};

export const storeMoves: readonly StoreMove[] = [
  { name: 'grants', happen: give },
  { name: 'refuses: busy', happen: refuse },
  { name: 'ends the lease', happen: end },
  { name: 'gives back a grant nobody waits for', happen: giveBackUnwanted },
  ...askMoves('last'), ...askMoves('earlier'), ...askMoves('stray'),
];

export const strandedMove: StoreMove = {
  name: 'is given back a grant that came after the end', happen: giveBackStranded,
};
