/**
 * One file at whose end lines are put, by us and perhaps by others at the same time.
 *
 * Owns: the descriptor, and knowing whether the file still ends where our last write left it. Must not know:
 * records, gates, leases. Everything is synchronous: on small data half the price of a trip through the
 * thread pool, and the write happens in the tick in which the gate was asked.
 */
import {
  closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync, writeSync, type Stats,
} from 'node:fs';
import { AttemptError, describe } from '../errors.js';
import { readTail } from './token-scan.js';

/** No known end: look at the file before the next write. */
const UNKNOWN = -1;

/** Our record is looked for among others' in steps of so much. */
const LOOK_BYTES = 256 * 1024;

export class AppendFile {
  readonly path: string;
  readonly #token: number | null;
  #fd: number | undefined;
  #device = 0;
  #inode = 0;
  /** Where our last write left the end of the file. */
  #end = UNKNOWN;
  #atLineStart = true;

  /**
   * @param path the session's file
   * @param token what our records are stamped with; null where they are plain
   */
  constructor(path: string, token: number | null) {
    this.path = path;
    this.#token = token;
  }

  /**
   * Opens what exists; does nothing where nothing does.
   *
   * @param joining records with our own token are expected: the attempt itself, or a child of it, writes too
   * @throws AttemptError `SESSION_INVALID`, `SESSION_OPEN_FAILED`; `WRITE_FENCED` where the file carries our
   *   token or a higher one already
   */
  open(joining: boolean): void {
    try {
      const found = statSync(this.path, { throwIfNoEntry: false });
      if (found === undefined) return this.#refuseBrokenLink();
      if (!found.isFile()) throw notAFile(this.path, found);
      // Without O_CREAT: if it vanished just now, the first append makes a new one.
      const highest = this.#attach(constants.O_RDWR | constants.O_APPEND, this.#token);
      if (this.#token !== null && (highest > this.#token || (highest === this.#token && !joining))) {
        throw carriesHigher(this.path, highest, this.#token);
      }
    } catch (error) {
      this.detach();
      if (error instanceof AttemptError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new AttemptError('SESSION_OPEN_FAILED', `Expected to open the session "${this.path}" for `
        + `reading and appending, but found: ${describe(error)}. Look at its permissions.`, { cause: error });
    }
  }

  /**
   * Puts one line at the end, in one write, on a line of its own.
   *
   * @param line with its newline
   * @throws AttemptError `WRITE_FAILED`, `WRITE_FENCED`
   */
  append(line: string): void {
    this.#findEnd();
    const bytes = Buffer.from(this.#atLineStart ? line : '\n' + line);
    const end = this.#end;
    this.#end = UNKNOWN; // until the write is known to be whole
    let written: number;
    try {
      written = writeSync(this.#fd as number, bytes);
    } catch (error) {
      throw new AttemptError('WRITE_FAILED', `Expected to append ${bytes.length} bytes to "${this.path}", `
        + `but found: ${describe(error)}. Count the record as not written; if a part of it reached the `
        + 'disk, the next append starts a new line behind it.', { cause: error });
    }
    if (written !== bytes.length) throw shortWrite(this.path, written, bytes.length);
    this.#end = end + written;
    this.#atLineStart = true;
    if (this.#token !== null) this.#confirm(end, bytes, this.#token);
  }

  /**
   * Is the record where readers accept it? Who is stopped between the look at the end and the write may have been
   * overtaken there: the record then lies behind a successor's, or in a file that a successor has replaced.
   *
   * @param from where the end was before
   */
  #confirm(from: number, bytes: Buffer, token: number): void {
    let highest: number;
    try {
      const found = statSync(this.path, { throwIfNoEntry: false });
      if (found === undefined) return; // removed since, as a file may be at any time
      const same = found.ino === this.#inode && found.dev === this.#device;
      if (same && found.size === this.#end) return;
      highest = same ? this.#highestBefore(from, found.size, bytes, token) : highestAt(this.path, token);
    } catch (error) {
      this.#end = UNKNOWN;
      throw new AttemptError('WRITE_FAILED', `Expected to see the record at the end of "${this.path}", but found: `
        + `${describe(error)}. It may be there: read the session before you append it again.`, { cause: error });
    }
    if (highest > token) throw overtakenMeanwhile(this.path, highest, token);
  }

  /** The highest token in front of our record, in a file to whose end others have written too. */
  #highestBefore(from: number, size: number, bytes: Buffer, token: number): number {
    const window = Buffer.allocUnsafe(LOOK_BYTES + bytes.length);
    for (let at = from; at < size; at += LOOK_BYTES) {
      const read = readSync(this.#fd as number, window, 0, window.length, at);
      const found = window.subarray(0, read).indexOf(bytes);
      if (found !== -1) return readTail(this.#fd as number, at + found, token + 1).highest;
    }
    throw new Error(`its last ${size - from} bytes are other ones`);
  }

  /** Forgets the file, so that the next append opens what the path then leads to. */
  detach(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    this.#end = UNKNOWN;
    if (fd !== undefined) closeSync(fd);
  }

  /**
   * "An acknowledged record is never lost to a neighbour's torn write": if the path leads to another file
   * than the one we have, or to none, open that; if the file does not end where we left it, look at its end.
   */
  #findEnd(): void {
    try {
      const found = statSync(this.path, { throwIfNoEntry: false });
      const same = found !== undefined && this.#fd !== undefined
        && found.ino === this.#inode && found.dev === this.#device;
      if (same && found.size === this.#end) return;
      const above = this.#token === null ? null : this.#token + 1;
      let highest: number;
      if (same) {
        highest = this.#look(found.size, above);
      } else {
        this.detach();
        if (found !== undefined && !found.isFile()) throw notAFile(this.path, found);
        highest = this.#attach(constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, above);
      }
      if (this.#token !== null && highest > this.#token) throw overtaken(this.path, highest, this.#token);
    } catch (error) {
      this.#end = UNKNOWN;
      if (error instanceof AttemptError) throw error;
      throw new AttemptError('WRITE_FAILED', `Expected to find the end of "${this.path}" before appending, `
        + `but found: ${describe(error)}. Nothing of the record was written.`, { cause: error });
    }
  }

  #attach(flags: number, from: number | null): number {
    this.#fd = openSync(this.path, flags, 0o666);
    const { dev, ino, size } = fstatSync(this.#fd);
    this.#device = dev;
    this.#inode = ino;
    return this.#look(size, from);
  }

  /** @param from the lowest token that matters; null where none does */
  #look(size: number, from: number | null): number {
    const { highest, atLineStart } = readTail(this.#fd as number, size, from);
    this.#end = size;
    this.#atLineStart = atLineStart;
    return highest;
  }

  #refuseBrokenLink(): void {
    // What is no link has come to be there just now, and what is not there is told so: the first append opens it.
    if (!lstatSync(this.path).isSymbolicLink()) return;
    throw new AttemptError('SESSION_INVALID', `Expected the session "${this.path}" to be a file or not to `
      + 'exist yet, but found a link that leads nowhere. Remove the link, or create what it points to.');
  }
}

function notAFile(path: string, found: Stats): AttemptError {
  const kind = found.isDirectory() ? 'a directory' : 'something that is not a regular file';
  return new AttemptError('SESSION_INVALID', `Expected the session "${path}" to be a regular file or not to `
    + `exist yet, but found ${kind}. Name a file, for instance one inside a directory.`);
}

function carriesHigher(path: string, highest: number, token: number): AttemptError {
  return new AttemptError('WRITE_FENCED', `Expected records with tokens below ours (${token}) in "${path}", `
    + `but found one with ${highest}: readers would drop what we write. Either a later attempt holds the `
    + 'session, or the file was copied or restored here without the tokens of its lock. Give the lock store '
    + 'the floor (readSession and fileRecords().tokenFloor tell it), or start the session under a new name.');
}

function overtaken(path: string, highest: number, token: number): AttemptError {
  return new AttemptError('WRITE_FENCED', `Expected no record with a token above ours (${token}) in `
    + `"${path}", but found ${highest}: a later attempt holds the session, and readers would drop this `
    + 'record. It was not written. Stop this work; the session goes on without it.');
}

/** The highest token at the end of what the path leads to now. */
function highestAt(path: string, token: number): number {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    return readTail(fd, fstatSync(fd).size, token + 1).highest;
  } finally {
    closeSync(fd);
  }
}

function overtakenMeanwhile(path: string, highest: number, token: number): AttemptError {
  return new AttemptError('WRITE_FENCED', `Expected to append to "${path}" under our token (${token}), but while that was `
    + `under way a later attempt (${highest}) took the session over: readers drop this record. Stop this work; the `
    + 'session goes on without it.');
}

function shortWrite(path: string, written: number, wanted: number): AttemptError {
  return new AttemptError('WRITE_FAILED', `Expected to append ${wanted} bytes to "${path}" in one write, `
    + `but only the first ${written} reached it (a full disk, a quota or a file size limit). Count the `
    + 'record as not written; the next append starts a new line behind that part. Make room, then append '
    + 'it again.');
}
