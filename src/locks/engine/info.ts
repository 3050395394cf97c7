/**
 * What a holder or waiter tells about itself, as text in the engine, and back. It only explains: a text that cannot be
 * read is no reason to fail.
 */
import { identity, processMark, type ProcessMark } from '../../owner.js';
import { readFacts, type HolderFacts } from '../holder-facts.js';
import type { HolderInfo } from '../lock-store.js';
import { parsed } from './asks.js';

export interface ReadInfo {
  readonly attemptId: string | null;
  readonly pid: number | null;
  readonly host: string | null;
  readonly state: string | null;
  readonly note: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly supersedable: boolean;
  readonly facts: HolderFacts | null;
  /** Empty where it is not told. */
  readonly mark: Partial<ProcessMark>;
  /** Which instance of this package; null where it does not say. */
  readonly instance: string | null;
}

/**
 * JSON. NUL, which PostgreSQL has no place for in text, is written as an escape by JSON itself.
 * @param bell where whoever tells it is rung for. First in the text, where the scripts of Redis find it
 * @param facts also what only explains why it takes long: told with renewals, for short attempts are not asked
 */
export function infoText(info: HolderInfo, bell: string, facts?: 'with facts'): string {
  const { attemptId, pid, host, state, note, labels, supersedable } = info;
  return JSON.stringify({
    bell, attemptId, pid, host, state, note, labels, instance: identity().instance, supersedable,
    ...(facts && { facts: info.facts, mark: processMark() }),
  });
}

export function readInfo(text: unknown): ReadInfo {
  const value = parsed(text);
  const found = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const string = (key: string): string | null => (typeof found[key] === 'string' ? found[key] : null);
  const labels = typeof found['labels'] === 'object' && found['labels'] !== null ? Object.entries(found['labels']) : [];
  return {
    attemptId: string('attemptId'), pid: typeof found['pid'] === 'number' ? found['pid'] : null, host: string('host'),
    state: string('state'), note: string('note'), instance: string('instance'),
    labels: Object.fromEntries(labels.map(([key, value]) => [key, String(value)])),
    supersedable: found['supersedable'] !== false, facts: readFacts(found['facts']),
    mark: markOf(found['mark']),
  };
}

/** As a stranger's: what is not as we write it is left out. */
function markOf(value: unknown): Partial<ProcessMark> {
  const found = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { pid } = found;
  const texts = ['host', 'boot', 'pidNamespace', 'started'].flatMap((key) =>
    (typeof found[key] === 'string' ? [[key, found[key]] as const] : []));
  return { ...Object.fromEntries(texts), ...(typeof pid === 'number' && { pid }) };
}
