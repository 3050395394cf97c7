/**
 * The highest token a session's file carries: in the whole of it, or at its end. Owns: how a token is found
 * without reading more than needed. Must not know: who asks, and what follows from it.
 *
 * Where it cannot be exact (torn lines, lines too long to parse) it answers too high rather than too low: a
 * higher floor costs a few numbers, a lower one lets readers drop what we acknowledged.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { AttemptError } from '../errors.js';
import { decodeLine, STAMP_BYTES } from './line.js';
import { LineSplitter } from './line-splitter.js';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;
/** Longer lines are scanned for stamps instead of parsed, so that memory stays bounded. */
const PARSE_BYTES = 4 * 1024 * 1024;
/** The end of a file that is looked at: holds the last records of most sessions in one read. */
const TAIL_BYTES = 16 * 1024;
/** Where one record fills that, its stamp stands further back. How far we follow it. */
const MAX_TAIL_BYTES = 4 * 1024 * 1024;
/**
 * A stamp cut by the border of two pieces is found again with so much of the first in front of the second.
 */
const OVERLAP_BYTES = 64;
/** The second group: what follows makes it another number than the first says. */
const ANY_STAMP = /"\$attempt"\s{0,8}:[\s[]{0,8}(\d{1,16})([\d.eE]?)/g;
/** Our own spelling at the start of a line: by far the most frequent, and read without parsing the line. */
const OWN_STAMP = /^\{"\$attempt":(\d{1,15})[,}]/;

/**
 * The highest token in the whole file; 0 where it does not exist or carries none. Not the last: the last
 * line may be a zombie's. Reads in pieces, whatever the length of a line.
 *
 * @throws AttemptError `SESSION_INVALID` for a directory; the native error where the file cannot be read
 */
export async function highestTokenIn(file: string): Promise<number> {
  let highest = 0;
  let carried = '';
  let carriedFrom = 0;
  const splitter = new LineSplitter(PARSE_BYTES, (piece, number) => {
    const text = (carriedFrom === number ? carried : '') + piece.toString('latin1');
    highest = Math.max(highest, scan(text));
    carried = text.slice(-OVERLAP_BYTES);
    carriedFrom = number;
  });
  const whole = atOnce(file);
  for await (const chunk of whole === null ? chunksOf(file) : [whole]) {
    for (const { bytes } of splitter.push(chunk)) highest = Math.max(highest, highestInLine(bytes));
  }
  for (const { bytes } of splitter.end()) highest = Math.max(highest, highestInLine(bytes));
  return highest;
}

/**
 * All of a file that is no longer than one piece, or not there: cheaper than the thread pool, and independent of it,
 * for a lock is held and waited for meanwhile. Null: it has to be read in pieces, or that has to say what is wrong.
 */
function atOnce(file: string): Buffer | null {
  let fd;
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe would make us wait
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? Buffer.alloc(0) : null;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= CHUNK_BYTES ? readEnd(fd, stat.size, stat.size) : null;
  } finally {
    closeSync(fd);
  }
}

/**
 * The bytes of a file, in pieces that share one memory. Nothing where the file does not exist: a session is
 * created by its first record, so one without records has no file.
 *
 * @throws AttemptError `SESSION_INVALID` for a directory; the native error where the file cannot be read
 */
export async function* chunksOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    if (code === 'EISDIR') throw isDirectory(file, { cause: error });
    throw error;
  }
  try {
    if ((await handle.stat()).isDirectory()) throw isDirectory(file);
    const memory = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(memory, 0, memory.length, null);
      if (bytesRead === 0) return;
      yield memory.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** What stands at the end of an open file. */
export interface Tail {
  /** The highest token in the part that was looked at, if it is at least `from`; otherwise something below `from`. */
  readonly highest: number;
  /** The file is empty or ends with a newline: whatever is appended starts a line of its own. */
  readonly atLineStart: boolean;
}

/**
 * Looks at the last 16 KiB; where no line begins in them, further back, up to 4 MiB. Synchronous.
 *
 * @param fd open for reading
 * @param size the file's size in bytes
 * @param from lower tokens are of no interest; null: no token is
 */
export function readTail(fd: number, size: number, from: number | null): Tail {
  if (size === 0) return { highest: -1, atLineStart: true };
  if (from === null) return { highest: -1, atLineStart: readEnd(fd, size, 1)[0] === NEWLINE };
  for (let window = TAIL_BYTES; ; window *= 8) {
    const bytes = readEnd(fd, size, Math.min(window, size));
    const beginsALine = bytes.subarray(0, -1).includes(NEWLINE);
    if (!beginsALine && window < size && window < MAX_TAIL_BYTES) continue;
    const atLineStart = bytes.at(-1) === NEWLINE;
    // A look that can only be too high answers nearly always, and costs a fraction of reading line by line.
    if (scan(bytes.toString('latin1'), Infinity) < from) return { highest: -1, atLineStart };
    const splitter = new LineSplitter(Infinity, () => undefined);
    const lines = [...splitter.push(bytes), ...splitter.end()];
    return { highest: Math.max(-1, ...lines.map((line) => highestInLine(line.bytes, -1))), atLineStart };
  }
}

function readEnd(fd: number, size: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, bytes, filled, length - filled, size - length + filled);
    if (read === 0) break; // the file became shorter while we looked
    filled += read;
  }
  return bytes.subarray(0, filled);
}

function highestInLine(line: Buffer, none = 0): number {
  const first = line.indexOf(STAMP_BYTES);
  if (first === -1) return none;
  if (line.indexOf(STAMP_BYTES, first + 1) === -1) {
    const own = OWN_STAMP.exec(line.toString('latin1', 0, OVERLAP_BYTES));
    if (own !== null) return Math.max(none, Number(own[1])); // even on a torn line: that token was granted
  }
  return Math.max(none, ...decodeLine(line).entries.map((entry) => entry.token ?? none));
}

/** The highest of all that looks like a stamp; `unclear` where it looks like one and its number is another. */
function scan(text: string, unclear = -1): number {
  let highest = -1;
  for (const [, digits, more] of text.matchAll(ANY_STAMP)) {
    const token = Number(digits);
    highest = Math.max(highest, more === '' && Number.isSafeInteger(token) ? token : unclear);
  }
  return highest;
}

function isDirectory(file: string, found?: ErrorOptions): AttemptError {
  return new AttemptError('SESSION_INVALID', `Expected the session "${file}" to be a file or not to exist `
    + 'yet, but found a directory. Name a file inside it.', found);
}
