/** The keys of a session. All of them carry the session as their hash tag, and so lie in one slot of a cluster. */
import { expect } from '../../config-checks.js';

export interface SessionKeys {
  readonly lock: string;
  readonly line: string;
  readonly waiters: string;
  readonly seen: string;
  readonly records: string;
  /** In front of an owner. */
  readonly buried: string;
  /** In front of an owner: what it is asked. */
  readonly asks: string;
}

/** @throws AttemptError `CONFIG_INVALID` */
export function checkedPrefix(prefix: unknown = 'attempt'): string {
  const ok = typeof prefix === 'string' && /^[^{}\s]{1,100}$/.test(prefix);
  expect(ok, 'prefix', 'a name without braces or spaces, at most 100 characters', prefix);
  return prefix;
}

/** A brace in the session's name would end the hash tag, or make it empty: it is written as in a URL. */
export function keysOf(prefix: string, session: string): SessionKeys {
  const tag = session.replaceAll('%', '%25').replaceAll('{', '%7B').replaceAll('}', '%7D');
  const at = `${prefix}:{${tag}}:`;
  return {
    lock: `${at}lock`, line: `${at}line`, waiters: `${at}waiters`, seen: `${at}seen`, records: `${at}records`,
    buried: `${at}buried:`, asks: `${at}asks:`,
  };
}

/** The session whose hash tag this is. */
export const sessionOf = (tag: string): string => tag.replaceAll('%7B', '{').replaceAll('%7D', '}').replaceAll('%25', '%');

/** In front of the id of a bell: a list for each store that waits. In no session's slot. */
export const bellsOf = (prefix: string): string => `${prefix}:bell:`;
