/**
 * What may happen next among several attempts on one session, and what is wrong with it if something is.
 * Owns: how the visible moves of each attempt meet in the lock and the file. Must not know: which world comes first.
 *
 * An attempt's silent moves need nobody's leave. A grant needs a lock that is free or past its deadline. A lease's
 * deadline may pass at any time (a stall is not told from a crash); from then on it may be revived, by who renews it,
 * or taken over. A lease may be taken away by force before that. A record may land at any time once its attempt has
 * had a writer, under the token it was written with: no gate is relied on, and no end, no window, and no crash.
 */
import { GRANT } from '../world.js';
import { LABEL, SHOWS } from './life.js';
import { gaveBack, isLive, type Rules } from './rules.js';
import { HIGHEST_TOKEN, newTable, type Layout, type Table } from './world.js';

export const KIND = {
  own: 0, takeOver: 1, write: 2, deadline: 3, revive: 4, strayAsk: 5, strayRenewal: 6, oldWrite: 7, oldAsk: 8,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Gets each move: where it leads, what it is, whose, by which edge of its life, and by which of the old holder's. */
export type Visit = (to: number, kind: Kind, who: number, edge: number, otherEdge: number) => void;
/** Gets each violation: of which invariant, and by which move. */
export type Blame = (id: string, what: string, kind: Kind, who: number, edge: number) => void;

const NAMES = ['A', 'B', 'C'] as const;
export const nameOf = (who: number): string => NAMES[who]!;

export class Together {
  readonly #now: Table;
  readonly #next: Table;
  /** Leave out what only bad luck does: crashes, force, and deadlines of leases that somebody renews. */
  isCalm = false;
  /** How many of them may have a window: whose work has had none when that many have, has none. */
  mostWindows = Infinity;
  /** Which attempt has come to stand where in the world just visited; kept only if a story asks for it. */
  order: number[] | undefined;

  constructor(readonly layout: Layout, readonly rules: Rules, readonly visit: Visit, readonly blame: Blame) {
    this.#now = newTable(layout.count);
    this.#next = newTable(layout.count);
  }

  /** Every move there is from this world. */
  expand(world: number): void {
    const now = this.#now;
    this.layout.unpack(world, now);
    const holder = this.#holder();
    for (let who = 0; who < this.layout.count; who += 1) {
      this.#ownMoves(who, holder);
      if (!this.isCalm) this.#writes(who, holder);
      if (holder >= 0) this.#strays(world, who, holder);
    }
    if (holder >= 0) this.#deadline(holder);
  }

  #shows(who: number): number {
    return this.layout.lives[who]!.shows[this.#now.nodes[who]!]!;
  }

  #holder(): number {
    for (let who = 0; who < this.layout.count; who += 1) if (isLive(this.#shows(who))) return who;
    return -1;
  }

  /** The next world's table, as this one. */
  #begin(): Table {
    const [now, next] = [this.#now, this.#next];
    for (let who = 0; who < this.layout.count; who += 1) {
      next.nodes[who] = now.nodes[who]!;
      next.tokens[who] = now.tokens[who]!;
      next.olds[who] = now.olds[who]!;
    }
    next.past = now.past;
    next.highest = now.highest;
    next.accepted = now.accepted;
    next.counter = now.counter;
    next.given = now.given;
    return next;
  }

  #ownMoves(who: number, holder: number): void {
    const { starts, labels, targets } = this.layout.lives[who]!;
    const node = this.#now.nodes[who]!;
    const mayYield = this.#mayYield(who);
    for (let edge = starts[node]!; edge < starts[node + 1]!; edge += 1) {
      const label = labels[edge]!;
      if (!mayYield && (this.layout.lives[who]!.shows[targets[edge]!]! & SHOWS.yielded) !== 0) continue;
      if (label === LABEL.give) {
        this.#give(who, holder, edge);
        continue;
      }
      if (this.isCalm && (label === LABEL.crash || (label === LABEL.end && this.#now.past === 0))) continue;
      if (label === LABEL.open && holder === who && this.#now.past === 1) {
        if (!this.rules.mayStart(true)) continue;
        this.blame('S10', `${nameOf(who)} starts its work under a lease past its deadline`, KIND.own, who, edge);
      }
      const next = this.#begin();
      next.nodes[who] = targets[edge]!;
      if (holder === who && !isLive(this.layout.lives[who]!.shows[targets[edge]!]!)) next.past = 0;
      this.visit(this.layout.pack(next, this.order), KIND.own, who, edge, -1);
    }
  }

  /** A window is the caller's choice, so one that is not taken hides nothing else. */
  #mayYield(who: number): boolean {
    if (this.mostWindows >= this.layout.count || (this.#shows(who) & SHOWS.yielded) !== 0) return true;
    let many = 0;
    for (let other = 0; other < this.layout.count; other += 1) if (this.#shows(other) & SHOWS.yielded) many += 1;
    return many < this.mostWindows;
  }

  #give(who: number, holder: number, edge: number): void {
    if (holder < 0) {
      this.#grant(this.#begin(), who, edge, KIND.own, -1);
      return;
    }
    const isPast = this.#now.past === 1;
    if (!this.rules.mayTakeOver(isPast)) return;
    if (!isPast) {
      this.blame('S2', `${nameOf(who)} is granted before the deadline of ${nameOf(holder)}`, KIND.takeOver, who, edge);
    }
    const { starts, labels, targets } = this.layout.lives[holder]!;
    const node = this.#now.nodes[holder]!;
    for (let other = starts[node]!; other < starts[node + 1]!; other += 1) {
      if (labels[other] !== LABEL.end) continue;
      const next = this.#begin();
      next.nodes[holder] = targets[other]!;
      this.#grant(next, who, edge, KIND.takeOver, other);
    }
  }

  #grant(next: Table, who: number, edge: number, kind: Kind, otherEdge: number): void {
    const { counter, highest, given, tokens } = this.#now;
    const token = Math.min(this.rules.nextToken(counter, highest), HIGHEST_TOKEN + 1);
    const found = (id: string, what: string): void => this.blame(id, what, kind, who, edge);
    if (tokens.includes(token) || token === given) found('S1', `token ${token} is given a second time`);
    else if (token < given) found('S3', `token ${token} is given after ${given}`);
    for (let other = 0; other < this.layout.count; other += 1) {
      const shows = this.#shows(other);
      if (other !== who && gaveBack(shows) && this.rules.gateIsOpen(shows)) {
        found('S5', `${nameOf(other)} has given back, ${nameOf(who)} is granted, and the writer of ${nameOf(other)} is open`);
      }
    }
    next.nodes[who] = this.layout.lives[who]!.targets[edge]!;
    next.olds[who] = tokens[who]!;
    next.tokens[who] = token;
    next.counter = token;
    next.given = Math.max(given, token);
    next.past = 0;
    this.visit(this.layout.pack(next, this.order), kind, who, edge, otherEdge);
  }

  /** A record of this attempt lands in the file: written under its lease, or long after. */
  #writes(who: number, holder: number): void {
    if ((this.#shows(who) & SHOWS.mayWrite) === 0) return;
    const { tokens, olds } = this.#now;
    this.#write(tokens[who]!, KIND.write, who, holder);
    if (olds[who]! > 0) this.#write(olds[who]!, KIND.oldWrite, who, -1);
  }

  #write(token: number, kind: Kind, who: number, holder: number): void {
    const { highest, accepted } = this.#now;
    const isAccepted = this.rules.accepts(token, highest);
    if (isAccepted && token < accepted) {
      this.blame('S4', `a record with token ${token} is accepted after one with ${accepted}`, kind, who, -1);
    }
    if (!isAccepted && holder === who) {
      this.blame('S15', `a record of the holder, token ${token}, is left out after ${highest}`, kind, who, -1);
    }
    const next = this.#begin();
    next.highest = this.rules.highestAfter(token, highest);
    if (isAccepted) next.accepted = Math.max(accepted, token);
    if (next.highest === highest && next.accepted === accepted) return;
    this.visit(this.layout.pack(next, this.order), kind, who, -1, -1);
  }

  /** What is still on its way from an attempt to the lock of another, or to one it took since. */
  #strays(world: number, who: number, holder: number): void {
    const shows = this.#shows(who);
    const hits = `reaches the lease of ${nameOf(holder)}`;
    if (shows & SHOWS.oldAskOut) {
      if (this.rules.oldReleaseHits(who, holder)) {
        this.blame('S7', `an earlier release of ${nameOf(who)} ${hits}`, KIND.oldAsk, who, -1);
      }
      this.visit(world, KIND.oldAsk, who, -1, -1);
    }
    if (holder === who) return;
    if (shows & SHOWS.askOut) {
      if (this.rules.releaseHits(who, holder)) this.blame('S7', `the release of ${nameOf(who)} ${hits}`, KIND.strayAsk, who, -1);
      this.visit(world, KIND.strayAsk, who, -1, -1);
    }
    if ((shows & SHOWS.grant) !== GRANT.none && this.rules.renews(shows)) {
      if (this.rules.renewalHits(who, holder)) {
        this.blame('S7', `the renewal of ${nameOf(who)} ${hits}`, KIND.strayRenewal, who, -1);
      }
      this.visit(world, KIND.strayRenewal, who, -1, -1);
    }
  }

  #deadline(holder: number): void {
    const shows = this.#shows(holder);
    const renews = this.rules.renews(shows);
    const isPast = this.#now.past === 1;
    const next = this.#begin();
    next.past = isPast ? 0 : 1;
    if (!isPast && this.rules.deadlinePasses(shows) && !(this.isCalm && renews)) {
      this.visit(this.layout.pack(next, this.order), KIND.deadline, holder, -1, -1);
    }
    if (!isPast || !renews || !this.rules.renewalHits(holder, holder)) return;
    if (shows & SHOWS.releaseBegun) {
      this.blame('S13', `${nameOf(holder)} renews after its release began`, KIND.revive, holder, -1);
    }
    this.visit(this.layout.pack(next, this.order), KIND.revive, holder, -1, -1);
  }
}
