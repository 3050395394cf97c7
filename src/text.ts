/**
 * Text for people: safe for a terminal, short enough for its width, times and holders as a person says them.
 */
import type { Holder } from './locks/lock-store.js';

/**
 * What must not reach a terminal from a record, a label or a path: control characters (escape sequences begin with
 * one), and the marks that turn the direction of what follows, which make a line read as another.
 */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of text with a dot in place of whatever could act on a terminal. */
export const harmless = (text: string): string => text.replace(HARMFUL, '\u00b7');

/** The same for JSON, where such characters can be written so that a program still reads them. */
export const harmlessJson = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(HARMFUL, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** At most `width` characters, its end given up; the rest of a path says less than its last name. */
export const fit = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}\u2026`;

/** The same, its beginning given up: for paths. */
export const fitPath = (text: string, width: number): string =>
  text.length <= width ? text : `\u2026${text.slice(text.length - Math.max(0, width - 1))}`;

const two = (one: number, unit: string, other: number, unitOfOther: string): string =>
  other === 0 ? `${one} ${unit}` : `${one} ${unit} ${other} ${unitOfOther}`;

/** Milliseconds as a person says them; whole seconds from ten on, so that what is redrawn stands still. */
export function inWords(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1).replace('.0', '')} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? two(hours, 'h', minutes % 60, 'min') : two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A generated id by its first eight characters, as one speaks of a commit; a given one in full. */
export const shortId = (attemptId: string): string =>
  UUID.test(attemptId) ? attemptId.slice(0, 8) : harmless(attemptId);

/** A request that waits, work that works, a release that is asked for: what these states are for needs no saying. */
const USUAL = new Set(['acquiring.waiting', 'running.working', 'releasing.asking']);

/** A state of the machine for people: `running`, `running.yielded`. */
export const stateInWords = (state: string): string => (USUAL.has(state) ? state.split('.')[0] ?? state : state);

/** Labels and the last note, as one word after another. */
export function labelsInWords({ labels, note }: Pick<Holder, 'labels' | 'note'>): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return harmless([...words, ...(note === null ? [] : [`"${note}"`])].join(' '));
}

/** Who holds a session, as a phrase: "held for 3 min by attempt 1b7f2c09 (running, pid 4242, job=nightly)". */
export function holderInWords(holder: Holder | null, now: number, host: string): string {
  if (!holder) return 'held by somebody unknown';
  if (holder.remark) return `held by ${harmless(holder.remark)}`;
  const since = holder.since === null ? '' : ` for ${inWords(now - holder.since)}`;
  const elsewhere = holder.host !== null && holder.host !== host ? ` on ${harmless(holder.host)}` : '';
  const facts = [
    holder.state === null ? '' : harmless(stateInWords(holder.state)),
    holder.pid === null ? '' : `pid ${holder.pid}${holder.sameProcess ? ', this process' : elsewhere}`,
    labelsInWords(holder), holder.supersedable === false ? 'not to be superseded' : '',
  ].filter((fact) => fact !== '');
  const about = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  return `held${since} by attempt ${holder.attemptId === null ? 'unknown' : shortId(holder.attemptId)}${about}`;
}

/** When the lease is over, as a phrase; empty where that is not known. */
export function leaseEndInWords(until: number | null, now: number): string {
  if (until === null) return '';
  return until > now
    ? `free in ${inWords(until - now)} at the latest, unless it is renewed`
    : `its lease ended ${inWords(now - until)} ago; it is about to be taken over`;
}
