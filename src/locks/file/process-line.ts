/**
 * Those of this process who wait for one session, as one in the line of processes.
 * Owns: our ticket, and whom we wait for. Must not know: how the lock is taken, or how a change is noticed.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import type { HolderInfo } from '../lock-store.js';
import { makeRoom } from './permissions.js';
import type { Places } from './session-path.js';
import {
  clearIfDead, removeTicket, requeueTicket, rewriteTicket, takeTicket, ticketsAmong, type Waiting,
} from './tickets.js';

/** Who joined or left is told to others this late: many join at once. */
const TELL_MS = 20;

/** A free lock is taken by the first in line within a few milliseconds; one that does not in this time is passed. */
export const GRACE_MS = 25;

/** Between two looks that are further apart others may have had the lock: then it has not been lying there. */
const SEEN_WITHIN_MS = 250;

/** Tickets that are looked into for dead processes when one joins: the nearest in front, and the first. */
const MOST_LOOKED_INTO = 4;

export class ProcessLine {
  readonly #places: Places;
  readonly #clock: Clock;
  readonly #id = randomUUID();
  readonly #waiting = new Set<Waiting>();
  /** Tickets in front that let a free lock lie: stopped, or hung. They are not waited for again. */
  readonly #passed = new Set<string>();
  #ticket: string | null = null;
  #lyingFree: { readonly first: string; readonly since: number; readonly seen: number } | null = null;
  #telling: unknown = null;

  constructor(places: Places, clock: Clock) {
    this.#places = places;
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Joins. It only orders and explains: a room that cannot be written is no reason not to wait. @returns leaves */
  join({ attemptId }: HolderInfo): () => void {
    const one: Waiting = { attemptId, since: this.#clock.wallNow() };
    this.#waiting.add(one);
    if (this.#ticket === null) this.#takeTicket();
    else this.#tellSoon();
    return () => {
      if (!this.#waiting.delete(one)) return;
      if (this.isEmpty) this.#giveTicketBack();
      else this.#tellSoon();
    };
  }

  /** Do others wait, of these tickets of the room? */
  othersAmong(tickets: readonly string[]): boolean {
    return tickets.some((ticket) => ticket !== this.#ticket);
  }

  /** The ticket we wait for: the nearest in front of ours of a process that lives. Null: it is our turn. */
  frontOf(tickets: readonly string[]): string | null {
    for (const ticket of this.#passed) if (!tickets.includes(ticket)) this.#passed.delete(ticket);
    const own = this.#ticket === null ? -1 : tickets.indexOf(this.#ticket);
    if (own < 0 && !this.isEmpty && !this.#isThere()) this.#takeTicket(); // it could not be laid, or somebody removed it
    for (let at = (own < 0 ? tickets.length : own) - 1; at >= 0; at -= 1) {
      const ticket = tickets[at] as string;
      if (!this.#passed.has(ticket) && !clearIfDead(this.#places.room, ticket)) return ticket;
    }
    return null;
  }

  /** Whose turn it is, as far as we know: of those who wait only it can be blamed. */
  firstOf(tickets: readonly string[]): string | undefined {
    return tickets.find((ticket) => !this.#passed.has(ticket));
  }

  /** Was the lock free when we last looked, though it was somebody's turn? */
  get isLyingFree(): boolean {
    return this.#lyingFree !== null;
  }

  /**
   * The lock is free, or not, and it is the turn of `first`.
   * @returns true if it has let it lie for long enough: it is passed from now on
   */
  letsLie(first: string | undefined, isFree: boolean): boolean {
    const now = this.#clock.now();
    const before = this.#lyingFree;
    this.#lyingFree = null;
    if (!isFree || first === undefined) return false;
    const isStill = before?.first === first && now - before.seen <= SEEN_WITHIN_MS;
    const since = isStill ? before.since : now;
    this.#lyingFree = { first, since, seen: now };
    if (now - since < GRACE_MS) return false;
    this.#passed.add(first);
    return true;
  }

  /** One of ours has been served: the others of ours wait behind those who wait now. */
  toTheEnd(tickets: readonly string[]): void {
    this.#passed.clear(); // who was late once comes before us again
    this.#lyingFree = null;
    if (this.#ticket === null || tickets.at(-1) === this.#ticket) return;
    try {
      this.#ticket = requeueTicket(this.#places.room, this.#ticket, this.#id, tickets);
    } catch { /* it stays where it is, or is gone: then whoever looks next takes no notice of us */ }
  }

  /** One look at a room may miss a name. */
  #isThere(): boolean {
    return this.#ticket !== null && existsSync(join(this.#places.room, this.#ticket));
  }

  #takeTicket(): void {
    const { room } = this.#places;
    try {
      makeRoom(this.#places);
      const tickets = ticketsAmong(readdirSync(room));
      const looked = new Set([...tickets.slice(0, MOST_LOOKED_INTO), ...tickets.slice(-MOST_LOOKED_INTO)]);
      for (const ticket of looked) clearIfDead(room, ticket);
      this.#ticket = null;
      this.#ticket = takeTicket(room, this.#id, tickets, [...this.#waiting], this.#places.mode);
    } catch { /* nobody sees us wait; the try for the lock itself will say what is wrong */ }
  }

  #giveTicketBack(): void {
    this.#clock.clearTimeout(this.#telling);
    this.#telling = null;
    if (this.#ticket === null) return;
    try {
      removeTicket(this.#places.room, this.#ticket);
    } catch { /* the disk is in trouble; whoever waits next finds our process gone, or passes us */ }
    this.#ticket = null;
  }

  #tellSoon(): void {
    this.#telling ??= this.#clock.setTimeout(() => {
      this.#telling = null;
      if (this.#ticket === null) return;
      try {
        rewriteTicket(this.#places.room, this.#ticket, [...this.#waiting]);
      } catch { /* it only explains */ }
    }, TELL_MS, 'background');
  }
}
