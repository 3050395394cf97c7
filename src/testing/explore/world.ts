/**
 * A world of one attempt, packed into one number: the state of the attempt and what lies outside it.
 * Owns: the layout of the outside. Must not know: what may happen (see store.ts and moves.ts).
 */

const field = (shift: number, width: number) => {
  const mask = ((1 << width) - 1) << shift;
  return {
    get: (bits: number): number => (bits & mask) >>> shift,
    set: (bits: number, value: number): number => (bits & ~mask) | (value << shift),
  };
};

export const REQUEST = { none: 0, open: 1, closed: 2 } as const;
/** `givenBack`: our own release ended it. `ended`: it ran out, was taken, or was taken away. */
export const GRANT = { none: 0, live: 1, givenBack: 2, ended: 3 } as const;
export const GRANT_NAMES = ['none', 'live', 'givenBack', 'ended'] as const;

/** `open`: the store may still grant, even after it answered "unknown". */
export const request = field(0, 2);
export const grant = field(2, 2);
/** Granted or renewed since the last long timer began: such a lease need not have ended when that timer fires. */
export const isFresh = field(4, 1);
/** A release by owner has been performed: no later grant to that owner. */
export const tombstone = field(5, 1);

/**
 * Definite answers to asks for release, one bit each, kept by what has become of the ask: the last one, an earlier
 * one, a stray one. An answer never leaves: so each may come late, twice, in any order, or never. Other answers need
 * no bit: what the store did about the request tells them, and "unknown" it may say at any time (see store.ts).
 */
export const MAIL = {
  confirmed: 1 << 6, notHeld: 1 << 7,
  confirmedEarlier: 1 << 8, notHeldEarlier: 1 << 9,
  confirmedStray: 1 << 10, notHeldStray: 1 << 11,
} as const;

/** Asks for release under way: each may reach the store at any time, or never, and is performed at most once. */
export const ASK = { last: 1 << 12, earlier: 1 << 13, stray: 1 << 14 } as const;

export type Mail = keyof typeof MAIL;

const OUTSIDE = 2 ** 15;
const LAST_MAIL = MAIL.confirmed | MAIL.notHeld;
const EARLIER_MAIL = MAIL.confirmedEarlier | MAIL.notHeldEarlier;
const ALL_MAIL = LAST_MAIL | EARLIER_MAIL | MAIL.confirmedStray | MAIL.notHeldStray;
const STEP_BACK = 2; // Bits from the mail of one kind of ask to that of the next.

export const pack = (state: number, outside: number): number => state * OUTSIDE + outside;
export const stateOf = (world: number): number => Math.floor(world / OUTSIDE);
export const outsideOf = (world: number): number => world % OUTSIDE;

/**
 * A request goes out, with an owner of its own: whatever is still under way about an earlier one is not about this
 * one. Asks of the earlier owner may still be performed and answered; that changes nothing here (see moves.ts).
 */
export const sendRequest = (_outside: number): number => request.set(0, REQUEST.open);

/** A new ask goes out and makes those before it earlier ones of its kind, or strays if it is of another kind. */
export function sendAsk(outside: number, kind: 'first' | 'again' | 'instead'): number {
  let bits = outside;
  if (kind === 'again') {
    bits = (bits & ~LAST_MAIL) | ((bits & LAST_MAIL) << STEP_BACK);
    if (outside & ASK.last) bits |= ASK.earlier;
  }
  if (kind === 'instead') {
    const strayMail = ((bits & LAST_MAIL) << (2 * STEP_BACK)) | ((bits & EARLIER_MAIL) << STEP_BACK);
    bits = (bits & ~(LAST_MAIL | EARLIER_MAIL | ASK.last | ASK.earlier)) | strayMail;
    if (outside & (ASK.last | ASK.earlier)) bits |= ASK.stray;
  }
  return bits | ASK.last;
}

/** After the end answers to asks go to nobody. The asks themselves may still arrive. */
export const forgetMail = (outside: number): number => outside & ~ALL_MAIL;
