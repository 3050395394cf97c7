/**
 * Asks to end, as files in the room: `ask.<token>.<as>.<id>`. The NAME says all that decides: which grant is meant, so
 * that the next one never hears it, and as what. The content only explains: who asks, and why.
 * Owns: names and content. Must not know: when a holder looks.
 */
import { lstatSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { processMark } from '../../owner.js';
import { noticeOf } from '../asking.js';
import type { AskToEnd, LeaseNotice } from '../lock-store.js';
import { readJson, writeJson } from './owner-entry.js';

const PATTERN = /^ask\.([1-9]\d{0,15})\.(superseded|user)\.([0-9a-f-]{36})$/;

/** Asks of one grant that are looked at in one look: one of each kind is all that counts. */
const MOST_LOOKED_AT = 16;

export interface AskName {
  readonly token: number;
  readonly as: AskToEnd['as'];
}

/** Null: the name of something else. */
export function parseAsk(name: string): AskName | null {
  const found = PATTERN.exec(name);
  return found && { token: Number(found[1]), as: found[2] as AskToEnd['as'] };
}

/** The asks of one grant among the names of a room. */
export const asksFor = (token: number, names: readonly string[]): readonly string[] =>
  names.filter((name) => name.startsWith(`ask.${token}.`) && parseAsk(name) !== null).slice(0, MOST_LOOKED_AT);

/**
 * Lays an ask, complete at once: written beside, as what is being prepared, and renamed. If we die between, what is left
 * is cleared as every prepared thing is (`clearAbandoned`).
 * @param id a UUID that nobody else uses
 * @returns its name
 */
export function layAsk(
  room: string, { token, as }: AskName, id: string, ask: AskToEnd, mode: number | null,
): string {
  const name = `ask.${token}.${as}.${id}`;
  const notice = noticeOf(ask);
  const prepared = join(room, `new.${id}`);
  try {
    writeJson(prepared, JSON.stringify({ ...processMark(), at: Date.now(), ...notice }), mode);
    renameSync(prepared, join(room, name));
  } catch (error) {
    removeAsk(room, `new.${id}`); // a disk that is full leaves no half of it
    throw error;
  }
  return name;
}

/**
 * What an ask says. Its name has said what counts: with a content that cannot be read it is an ask all the same. Null: not
 * a plain file of one name, and so not laid by us; or gone.
 */
export function readAsk(room: string, name: string): LeaseNotice | null {
  const path = join(room, name);
  const as = parseAsk(name)?.as;
  try {
    const stat = lstatSync(path);
    if (as === undefined || !stat.isFile() || stat.nlink > 1) return null;
  } catch {
    return null;
  }
  const found = readJson(path);
  const { by, reason } = found ?? {};
  return noticeOf({
    as, by: typeof by === 'string' ? by : 'somebody who did not say', ...(typeof reason === 'string' && { reason }),
  });
}

/** False: it was not there any more. Never throws: an ask that stays is heard once all the same, and cleared later. */
export function removeAsk(room: string, name: string): boolean {
  try {
    unlinkSync(join(room, name));
    return true;
  } catch {
    return false;
  }
}

/** Clears the asks of grants that are over: called with each grant, with the names seen before it. */
export function clearAsks(room: string, asks: readonly string[], granted: number): void {
  for (const name of asks) if ((parseAsk(name)?.token ?? granted) < granted) removeAsk(room, name);
}

/** The names in a room; none if there is no room. */
export function namesIn(room: string): readonly string[] {
  try {
    return readdirSync(room);
  } catch {
    return [];
  }
}
