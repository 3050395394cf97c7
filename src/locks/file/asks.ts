/**
 * Asks to end, as files in the room: `ask.<token>.<as>.<id>`. The NAME says all that decides: which grant is meant, so
 * that the next one never hears it, and as what. The content only explains: who asks, and why.
 * Owns: names and content. Must not know: when a holder looks.
 */
import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
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
  if (!name.startsWith('ask.')) return null;
  const [, token, as] = PATTERN.exec(name) ?? [];
  return as === undefined ? null : { token: Number(token), as: as as AskToEnd['as'] };
}

/** The asks of one grant among the names of a room. */
export const asksFor = (token: number, names: readonly string[]): readonly string[] =>
  names.filter((name) => name.startsWith(`ask.${token}.`) && parseAsk(name) !== null).slice(0, MOST_LOOKED_AT);

/** Lays an ask. @param id a UUID that nobody else uses. @returns its name */
export function layAsk(
  room: string, { token, as }: AskName, id: string, ask: AskToEnd, mode: number | null,
): string {
  const name = `ask.${token}.${as}.${id}`;
  const notice = noticeOf(ask);
  writeJson(join(room, name), JSON.stringify({ ...processMark(), at: Date.now(), ...notice }), mode);
  return name;
}

/**
 * What an ask says. `unfinished`: its file is there and has no content yet, or none that can be read. Null: not a plain
 * file of one name, and so not laid by us; or gone.
 */
export function readAsk(room: string, name: string): LeaseNotice | 'unfinished' | null {
  const path = join(room, name);
  const as = parseAsk(name)?.as;
  try {
    const stat = lstatSync(path);
    if (as === undefined || !stat.isFile() || stat.nlink > 1) return null;
  } catch {
    return null;
  }
  const found = readJson(path);
  const by = found?.['by'];
  if (typeof by !== 'string') return 'unfinished';
  const reason = found?.['reason'];
  return noticeOf({ as, by, ...(typeof reason === 'string' && { reason }) });
}

/** What an ask without words becomes: its name has said what counts. */
export const wordless = ({ as }: AskName): LeaseNotice => noticeOf({ as, by: 'somebody who did not say' });

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
