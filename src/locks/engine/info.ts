/**
 * What a holder or waiter tells about itself, as text in the engine, and back. It only explains: a text that cannot be
 * read is no reason to fail.
 */
import { identity } from '../../owner.js';
import type { HolderInfo } from '../lock-store.js';

export interface ReadInfo {
  readonly attemptId: string | null;
  readonly pid: number | null;
  readonly host: string | null;
  readonly state: string | null;
  readonly note: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Which instance of this package; null where it does not say. */
  readonly instance: string | null;
}

/** JSON. NUL, which PostgreSQL has no place for in text, is written as an escape by JSON itself. */
export function infoText({ attemptId, pid, host, state, note, labels }: HolderInfo): string {
  return JSON.stringify({ attemptId, pid, host, state, note, labels, instance: identity().instance });
}

export function readInfo(text: unknown): ReadInfo {
  const found = parsed(text);
  const string = (key: string): string | null => (typeof found[key] === 'string' ? found[key] : null);
  const labels = typeof found['labels'] === 'object' && found['labels'] !== null ? Object.entries(found['labels']) : [];
  return {
    attemptId: string('attemptId'), pid: typeof found['pid'] === 'number' ? found['pid'] : null, host: string('host'),
    state: string('state'), note: string('note'), instance: string('instance'),
    labels: Object.fromEntries(labels.map(([key, value]) => [key, String(value)])),
  };
}

function parsed(text: unknown): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
