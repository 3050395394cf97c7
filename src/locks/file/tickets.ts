/**
 * Who waits for a session among the processes of a machine: one ticket a process, `wait.<number>.<id>` in the room.
 * The NAME is the place in line: who comes takes a number above all that are there. The content only explains: whose
 * process that is, and which of its attempts wait.
 * Source: tickets as in Lamport's bakery; one is as good as another for order, so equal numbers go by their ids.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { identity, isProvablyDead, processMark } from '../../owner.js';
import type { Waiter } from '../lock-store.js';
import { attempted } from './errno.js';
import { AS_IT_IS, readJson, rewriteJson, writeJson } from './owner-entry.js';
import { isFoundDead } from './proof-of-death.js';

const PATTERN = /^wait\.(\d{1,16})\.([0-9a-f-]{36})$/;

/** Where there is no telling whether its process lives, a waiter is no longer believed after so long. */
const MOST_WAIT_MS = 24 * 60 * 60 * 1_000;

/** Attempts of one process that are named to others; how many more wait is only counted. */
const MOST_NAMED = 100;

/** One attempt that waits. */
export interface Waiting {
  readonly attemptId: string;
  /** Wall clock, milliseconds since 1970. */
  readonly since: number;
}

const numberOf = (name: string): number => Number(PATTERN.exec(name)?.[1] ?? 0);

/** The tickets among the names of a room, the first in line first. Each is parsed once: it is asked at every wake. */
export function ticketsAmong(names: readonly string[]): readonly string[] {
  const found = names.flatMap((name) => (PATTERN.test(name) ? [{ name, number: numberOf(name) }] : []));
  return found.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}

/** A number behind all of these. */
const behind = (tickets: readonly string[]): number => numberOf(tickets.at(-1) ?? '') + 1;

const contentOf = (waiting: readonly Waiting[]): string => JSON.stringify({
  ...processMark(), since: Date.now(), waiting: waiting.slice(0, MOST_NAMED), count: waiting.length,
});

/** Takes a ticket. @param mode permissions of the session; null: as the process makes its files @returns its name */
export function takeTicket(
  room: string, id: string, tickets: readonly string[], waiting: readonly Waiting[], mode: number | null = null,
): string {
  const name = `wait.${behind(tickets)}.${id}`;
  try {
    writeJson(join(room, name), contentOf(waiting), mode === null ? null : mode | 0o600); // it is rewritten, whatever the session is
  } catch (error) {
    removeTicket(room, name); // a disk that is full leaves no half of it, for which others would wait
    throw error;
  }
  return name;
}

/** Goes to the end of the line. @returns the ticket's new name */
export function requeueTicket(room: string, ticket: string, id: string, tickets: readonly string[]): string {
  const name = `wait.${behind(tickets)}.${id}`;
  renameSync(join(room, ticket), join(room, name));
  return name;
}

export function rewriteTicket(room: string, ticket: string, waiting: readonly Waiting[]): void {
  rewriteJson(join(room, ticket), contentOf(waiting));
}

export function removeTicket(room: string, ticket: string): void {
  attempted(() => unlinkSync(join(room, ticket)), 'ENOENT');
}

interface Read extends Partial<Record<'host' | 'boot' | 'pidNamespace' | 'started', string>> {
  readonly pid: number;
  readonly since: number;
  readonly waiting: readonly Waiting[];
}

/** Reads and validates, as a stranger's. Null: gone, being written, or not one of ours. */
function readTicket(room: string, ticket: string): Read | null {
  const found = readJson(join(room, ticket));
  if (found === null || typeof found['pid'] !== 'number' || typeof found['since'] !== 'number') return null;
  if (!Array.isArray(found['waiting'])) return null;
  const text = (key: string): object => (typeof found[key] === 'string' ? { [key]: found[key] } : {});
  const waiting = found['waiting'].slice(0, MOST_NAMED).flatMap((one: Partial<Waiting> | null) => (
    typeof one?.attemptId === 'string' && typeof one.since === 'number'
      ? [{ attemptId: one.attemptId.slice(0, 200), since: one.since }] : []));
  return {
    pid: found['pid'], since: found['since'], waiting,
    ...text('host'), ...text('boot'), ...text('pidNamespace'), ...text('started'),
  };
}

function isGone(read: Read): boolean {
  const { boot, host, started, pidNamespace, since } = read;
  const us = identity();
  if (isProvablyDead(read)) return true;
  if (host === us.host && boot !== undefined && us.boot !== null && boot !== us.boot) return true;
  const canTell = host === us.host && pidNamespace === us.pidNamespace && started !== undefined;
  return !canTell && !(since > Date.now() - MOST_WAIT_MS);
}

/** A ticket is written in microseconds; one that cannot be read for so long will never be: torn by a kill, or not one of ours. */
const UNREADABLE_MS = 10_000;

/**
 * Does it say nothing of whose it is, however that came about? Of a plain file that can be read: another user's may be
 * closed to us, and waits all the same; nothing else is touched.
 */
export function isTorn(room: string, ticket: string, now: number): boolean {
  const path = join(room, ticket);
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || now - stat.mtimeMs <= UNREADABLE_MS) return false;
    closeSync(openSync(path, constants.O_RDONLY | AS_IT_IS));
  } catch {
    return false;
  }
  return readTicket(room, ticket) === null;
}

/**
 * Removes a ticket whose process is provably gone, of which there is no telling for a day, or which says nothing.
 * False: it stays.
 */
export function clearIfDead(room: string, ticket: string): boolean {
  const isDead = (): boolean => {
    const read = readTicket(room, ticket);
    return read === null ? isTorn(room, ticket, Date.now()) : isGone(read);
  };
  if (!isFoundDead(`${room} ${ticket}`, isDead)) return false;
  try {
    removeTicket(room, ticket);
  } catch { /* not ours to remove; it is not waited for all the same */ }
  return true;
}

/** Does a process wait there that is not provably gone? Never throws: what cannot be looked at is waited for by nobody. */
export function isAwaited(room: string): boolean {
  try {
    return ticketsAmong(readdirSync(room)).some((ticket) => !clearIfDead(room, ticket));
  } catch {
    return false;
  }
}

/** Who waits, in any process, the longest first. Those whose process is gone are left out. */
export function waitersIn(room: string): readonly Waiter[] {
  const us = processMark();
  let names: readonly string[];
  try {
    names = readdirSync(room);
  } catch {
    return []; // no room, nobody in it
  }
  return ticketsAmong(names).flatMap((ticket) => {
    const read = readTicket(room, ticket);
    if (read === null || isGone(read)) return [];
    const sameProcess = read.pid === us.pid && (read.started ?? null) === us.started;
    return read.waiting.map((one) => ({ ...one, pid: read.pid, host: read.host ?? '', sameProcess }));
  });
}
