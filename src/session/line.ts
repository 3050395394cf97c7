/**
 * A record as one line of JSON, and back.
 *
 * Owns: the spelling of the stamp, what counts as a record, what can be saved of a torn line. Must not know:
 * files, gates, who holds what.
 *
 * The stamp stands first, spelled exactly `{"$attempt":7`, and that spelling occurs nowhere else in a line
 * we write (inside a JSON string its quotes are escaped; as a nested key the encoder escapes the dollar). So
 * a reader finds a whole record behind any torn fragment by looking for those bytes.
 */
import { isUtf8 } from 'node:buffer';
import { AttemptError, describe } from '../errors.js';
import type { SessionRecord } from './session-records.js';

/** The reserved top-level key. */
export const STAMP_KEY = '$attempt';
/** How a stamp is spelled. A key spelled otherwise (by `\u` escapes) is not a stamp. */
export const STAMP_BYTES = Buffer.from('"$attempt"');
/** How a stamped record of ours begins. */
export const STAMPED_START = Buffer.from('{"$attempt":');
/** The longest line a reader takes unless told otherwise, in bytes. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;
/**
 * The longest record we write, in bytes: half of what a reader takes, so that one glued behind a torn one
 * fits.
 */
export const MAX_RECORD_BYTES = DEFAULT_MAX_LINE_BYTES / 2;

/** What one line, or a whole stamped part of a torn one, says. */
export interface LineEntry {
  /** Anything JSON can say; a plain object unless the line is a foreign one. The stamp is taken off. */
  readonly record: unknown;
  /** The stamp; null where there is none. */
  readonly token: number | null;
  /** True: carries a token and no record (see `encodeMark`). */
  readonly mark: boolean;
}

export interface DecodedLine {
  /** In order. More than one only where several writers ended up on one line. */
  readonly entries: readonly LineEntry[];
  /** Something on the line could not be read. */
  readonly torn: boolean;
}

const NOTHING: DecodedLine = { entries: [], torn: false };
const LINE_START_BOM = [0xef, 0xbb, 0xbf] as const;

/**
 * One record as one line, its newline included. What JSON leaves out or turns into null (undefined,
 * functions, NaN) it leaves out here too.
 *
 * @param record a plain object: made by a literal or `Object.create(null)`, of this or another realm
 * @param token the stamp, a safe integer >= 0; null writes a plain line
 * @throws AttemptError `RECORD_INVALID`, before anything is written
 */
export function encodeRecord(record: unknown, token: number | null): string {
  const json = toJson(record);
  if (token === null) return json + '\n';
  return json === '{}' ? `{"${STAMP_KEY}":${token}}\n` : `{"${STAMP_KEY}":${token},${json.slice(1)}\n`;
}

/**
 * A line that carries a token and no record. It stands for "replaced by nothing": an empty file would forget
 * the token, and a zombie's record in it would be accepted.
 */
export function encodeMark(token: number): string {
  return `{"${STAMP_KEY}":[${token}]}\n`;
}

/**
 * The record as it would be read back: independent of later changes to the original. Throws
 * `RECORD_INVALID`.
 */
export function copyRecord(record: unknown): SessionRecord {
  return JSON.parse(toJson(record)) as SessionRecord;
}

/**
 * Reads one line (without its newline). Never throws for what it contains. A BOM, a carriage return and
 * blanks around are tolerated; an empty line has no entries and is not torn; invalid UTF-8 is torn.
 *
 * A `$attempt` that is not a safe integer >= 0 was not written by us: the line counts as one without a
 * stamp, and the key stays in the record, since it is somebody's data.
 */
export function decodeLine(line: Buffer): DecodedLine {
  const body = LINE_START_BOM.every((byte, i) => line[i] === byte) ? line.subarray(3) : line;
  if (isBlank(body)) return NOTHING;
  const whole = decodeWhole(body);
  return whole === null ? { entries: salvage(body), torn: true } : { entries: [whole], torn: false };
}

/**
 * The whole stamped records on a torn line, whatever stands before, between and behind them: what a reader
 * took from an unfinished last line is still taken when something was glued to it. Linear: each byte is
 * looked at once or twice.
 */
function salvage(body: Buffer): LineEntry[] {
  const entries: LineEntry[] = [];
  let start = body.indexOf(STAMPED_START);
  while (start !== -1) {
    const next = body.indexOf(STAMPED_START, start + 1);
    const part = body.subarray(start, next === -1 ? body.length : next);
    const entry = decodeWhole(part.subarray(0, objectLength(part)));
    if (entry !== null && entry.token !== null) entries.push(entry);
    start = next;
  }
  return entries;
}

/** How many bytes the object takes that begins here; 0 where it does not end. */
function objectLength(bytes: Buffer): number {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i += 1; // a backslash: the next byte means nothing
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b) depth += 1;
    else if (byte === 0x7d) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return 0;
}

/** Null where the bytes are not one JSON text in UTF-8. */
function decodeWhole(bytes: Buffer): LineEntry | null {
  if (!isUtf8(bytes)) return null;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null; // what is wrong with it does not matter: whatever cannot be parsed is torn
  }
  const plain = { record: value, token: null, mark: false };
  if (!bytes.includes(STAMP_BYTES)) return plain; // none, or spelled with escapes: not by us
  const { [STAMP_KEY]: stamp, ...record } = value as Record<string, unknown>;
  if (isToken(stamp)) return { record, token: stamp, mark: false };
  if (Array.isArray(stamp) && stamp.length === 1 && isToken(stamp[0]) && Object.keys(record).length === 0) {
    return { record, token: stamp[0], mark: true };
  }
  return plain;
}

function isToken(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) {
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

/** The record's JSON, an object, without the reserved key at its top and with nested ones escaped. */
function toJson(record: unknown): string {
  let json: string | undefined;
  try {
    if (!isPlainObject(record)) throw invalid(`found ${kindOf(record)}`);
    if (Object.hasOwn(record, STAMP_KEY)) throw reserved();
    json = JSON.stringify(record);
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    // A BigInt, a cycle, a getter that throws.
    throw invalid(`found one that JSON cannot carry (${describe(error).split('\n')[0]})`, error);
  }
  // A toJSON at the top decides what is written, and it can return anything.
  if (json === undefined || json[0] !== '{') throw invalid('its toJSON() returned something else');
  if (json.length * 3 > MAX_RECORD_BYTES && Buffer.byteLength(json) > MAX_RECORD_BYTES) {
    throw invalid(`found more than the ${MAX_RECORD_BYTES} bytes that can be read back`);
  }
  return json.includes(`"${STAMP_KEY}":`) ? escapeNested(json) : json;
}

function escapeNested(json: string): string {
  if (Object.hasOwn(JSON.parse(json) as object, STAMP_KEY)) throw reserved(); // put there by a toJSON
  return json.replaceAll(/([{,])"\$attempt":/g, '$1"\\u0024attempt":');
}

/** Of any realm: an object whose prototype is null or some realm's own Object.prototype. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Symbol.toStringTag in value || Symbol.iterator in value) return false; // Math, arguments
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === null || proto === Object.prototype) return true;
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto as object, 'isPrototypeOf');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a value of type ${typeof value}`;
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  const named = typeof name === 'string' && name !== '' && name !== 'Object';
  return named ? `an instance of ${name}` : 'a special object';
}

function invalid(found: string, cause?: unknown): AttemptError {
  const message = `Expected a record that is a plain object which JSON can carry, but ${found}. `
    + 'Nothing was written. Append an object literal with strings, numbers, booleans, null, arrays, objects.';
  return new AttemptError('RECORD_INVALID', message, cause === undefined ? undefined : { cause });
}

function reserved(): AttemptError {
  return new AttemptError('RECORD_INVALID', `Expected a record without the key "${STAMP_KEY}", which is `
    + 'reserved for the token, but found it. Nothing was written. Rename the key, or put the record under a '
    + 'key of its own.');
}
