/**
 * The owner file inside a lock directory. Its NAME is the lease: token, end, and the acquisition it belongs to.
 * Renewal and takeover both rename it, so of two who act on the same name exactly one finds it. Its content only
 * explains: who that is, since when, in which state.
 */
import {
  closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, readSync, writeSync,
} from 'node:fs';
import type { ProcessMark } from '../../owner.js';
import { readFacts, type HolderFacts } from '../holder-facts.js';

/** What the name of an owner file says. */
export interface OwnerName {
  /** 0 while the token is being claimed. */
  readonly token: number;
  /** End of the lease, wall clock, milliseconds since 1970. 0: left open for those who wait, and nobody's. */
  readonly until: number;
  /** One per acquisition. */
  readonly id: string;
}

const PATTERN = /^owner\.(\d{1,16})\.(\d{1,16})\.([0-9a-f-]{36})$/;

export const nameOf = ({ token, until, id }: OwnerName): string => `owner.${token}.${Math.ceil(until)}.${id}`;

export function parseName(name: string): OwnerName | null {
  const [, token, until, id] = PATTERN.exec(name) ?? [];
  return id === undefined ? null : { token: Number(token), until: Number(until), id };
}

/** What the content of an owner file says. Written by us, but read as a stranger's: any field may be missing. */
export interface OwnerRecord extends ProcessMark {
  /** The acquisition that wrote it: the content counts only for the name with the same id. */
  readonly id: string;
  readonly session: string;
  readonly owner: string;
  readonly attemptId: string;
  readonly since: number;
  readonly leaseMs: number;
  readonly state: string;
  readonly note: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts?: HolderFacts | null;
  readonly supersedable?: boolean;
}

/** A record longer than this is not one of ours (32 labels of 2 x 256 characters fit four times over). */
const MOST_BYTES = 128 * 1024;

/** Enough for most; reused, since nothing is awaited while it is in use. */
const small = Buffer.allocUnsafeSlow(4_096);

/** A planted link would make us read, or write, somewhere else; a planted pipe would make us wait. */
export const AS_IT_IS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const count = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/**
 * Reads a small file of ours as a stranger's: bounded, following no link, waiting for no pipe. Null if that is no
 * object of JSON: gone, being written, or not ours. Never throws.
 */
export function readJson(path: string): Record<string, unknown> | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | AS_IT_IS);
    try {
      let buffer = small;
      let length = readSync(fd, buffer, 0, buffer.length, 0);
      if (length === buffer.length) {
        buffer = Buffer.allocUnsafe(MOST_BYTES);
        length = readSync(fd, buffer, 0, MOST_BYTES, 0);
      }
      const parsed: unknown = JSON.parse(buffer.toString('utf8', 0, length));
      return typeof parsed === 'object' && parsed !== null ? parsed as Record<string, unknown> : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** Reads and validates; whatever is not as it should be is left out. Null if nothing can be read. Never throws. */
export function readRecord(path: string): Partial<OwnerRecord> | null {
  const found = readJson(path); // The name has already said what decides.
  if (found === null) return null;
  const fields = {
    id: text(found['id']),
    session: text(found['session']), owner: text(found['owner']), attemptId: text(found['attemptId']),
    pid: count(found['pid']), host: text(found['host']), boot: text(found['boot']), started: text(found['started']),
    pidNamespace: text(found['pidNamespace']),
    since: count(found['since']), leaseMs: count(found['leaseMs']), state: text(found['state']), note: text(found['note']),
    labels: labelsOf(found['labels']), facts: readFacts(found['facts']),
    supersedable: typeof found['supersedable'] === 'boolean' ? found['supersedable'] : null,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, label]) => typeof label === 'string').slice(0, 32));
}

/**
 * Creates an owner file with its record. Throws EEXIST if there is one.
 * @param mode permissions; null: as the process makes its files
 */
export const writeRecord = (path: string, record: OwnerRecord, mode: number | null): void =>
  writeJson(path, JSON.stringify(record), mode);

/** As `writeRecord`, any JSON. */
export function writeJson(path: string, json: string, mode: number | null): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | AS_IT_IS;
  const fd = openSync(path, flags, mode ?? 0o666);
  try {
    const bytes = Buffer.from(json);
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done);
    if (mode !== null && (fstatSync(fd).mode & 0o777) !== mode) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes the record into the owner file that is there. It never creates one: a file that somebody took over must not
 * come back beside theirs. It never becomes shorter: who reads between a write and a cut would find a torn record.
 */
export const rewriteRecord = (path: string, record: OwnerRecord): void => rewriteJson(path, JSON.stringify(record));

/** As `rewriteRecord`, any JSON. */
export function rewriteJson(path: string, json: string): void {
  const fd = openSync(path, constants.O_WRONLY | AS_IT_IS);
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.from(json.padEnd(json.length + Math.min(size, MOST_BYTES) - Buffer.byteLength(json)));
    if (size > MOST_BYTES) ftruncateSync(fd, 0); // not ours, and nobody could read it
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done);
  } finally {
    closeSync(fd);
  }
}
