/**
 * Reading a session: what every reader accepts, leaves out and reports.
 * Owns: the rule of the highest token. Must not know: locks, writers, attempts.
 */
import { AttemptError } from '../errors.js';
import { discardedChannel } from '../trace/channels.js';
import { DEFAULT_MAX_LINE_BYTES, decodeLine } from './line.js';
import { LineSplitter, type Line } from './line-splitter.js';
import { chunksOf } from './token-scan.js';

/** One record as a reader sees it. */
export interface SessionEntry {
  /** The record without its stamp. A foreign line may hold any JSON value, so look before you use it. */
  readonly record: unknown;
  /** The token of the attempt that wrote it; null for a line without a stamp. */
  readonly token: number | null;
}

export interface ReadSessionOptions {
  /**
   * The longest line that is taken, bytes: 1 to 2^31-1, default 64 MiB. It bounds the memory a reader needs.
   */
  readonly maxLineBytes?: number;
}

export interface StreamSessionOptions extends ReadSessionOptions {
  /** Called for each record that is left out because its token is below the highest seen before it. */
  readonly onDiscarded?: (discarded: SessionEntry & { readonly line: number }) => void;
  /** Called for each line, counted from 1, of which something could not be read. */
  readonly onTorn?: (line: number) => void;
}

export interface SessionContent {
  readonly records: SessionEntry[];
  /** How many records were left out because their token is below the highest seen before them. */
  readonly discarded: number;
  /**
   * The lines, counted from 1, of which something could not be read; a whole stamped record behind it is
   * kept.
   */
  readonly torn: number[];
}

/**
 * Reads a whole session, without a lock. For long files see {@link streamSession}.
 *
 * Lines without a stamp are always accepted, plain JSONL of any origin included. A stamped record is
 * accepted unless its token is below the highest seen before it: so what a fenced attempt still wrote stays
 * invisible. Blank lines, a byte order mark and CRLF are tolerated; a last line without a newline is
 * accepted if it is whole, and shows as torn while somebody is in the middle of writing it.
 *
 * A file that does not exist reads as empty: a session is created by its first record.
 *
 * @returns records in file order, how many were left out, and the numbers of torn lines
 * @throws AttemptError `SESSION_INVALID` (a directory), `RECORD_INVALID` (a line above `maxLineBytes`),
 *   `CONFIG_INVALID`; the native error where the file cannot be read
 */
export async function readSession(file: string, options: ReadSessionOptions = {}): Promise<SessionContent> {
  let discarded = 0;
  const torn: number[] = [];
  const records: SessionEntry[] = [];
  const entries = streamSession(file, {
    ...options,
    onDiscarded: () => { discarded += 1; },
    onTorn: (line) => torn.push(line),
  });
  for await (const entry of entries) records.push(entry);
  return { records, discarded, torn };
}

/**
 * The same, record by record, in the memory of one line. Leaving the loop early closes the file.
 *
 * @throws the same as {@link readSession}; what a callback throws ends the stream
 */
export async function* streamSession(
  file: string,
  { maxLineBytes = DEFAULT_MAX_LINE_BYTES, onDiscarded, onTorn }: StreamSessionOptions = {},
): AsyncGenerator<SessionEntry, void, undefined> {
  if (!Number.isInteger(maxLineBytes) || maxLineBytes < 1 || maxLineBytes > 2 ** 31 - 1) {
    throw new AttemptError('CONFIG_INVALID', `Expected maxLineBytes to be an integer from 1 to 2147483647, `
      + `but found ${String(maxLineBytes)}. Leave it out for 64 MiB.`);
  }
  let highest = -1;
  let count = 0;
  function* accept({ bytes, number }: Line): Generator<SessionEntry, void, undefined> {
    const { entries, torn } = decodeLine(bytes);
    if (torn) onTorn?.(number);
    for (const { record, token, mark } of entries) {
      if (token !== null && token < highest) {
        if (mark) continue;
        count += 1;
        onDiscarded?.({ record, token, line: number });
        continue;
      }
      if (token !== null) highest = token;
      if (!mark) yield { record, token };
    }
  }
  const splitter = new LineSplitter(maxLineBytes, (_piece, number) => {
    throw tooLong(file, number, maxLineBytes);
  });
  try {
    for await (const chunk of chunksOf(file)) {
      for (const line of splitter.push(chunk)) yield* accept(line);
    }
    for (const line of splitter.end()) yield* accept(line);
  } finally {
    if (count > 0 && discardedChannel.hasSubscribers) discardedChannel.publish({ count });
  }
}

function tooLong(file: string, line: number, maxLineBytes: number): AttemptError {
  return new AttemptError('RECORD_INVALID', `Expected lines of at most ${maxLineBytes} bytes in "${file}", `
    + `but line ${line} is longer. Read it with a larger maxLineBytes, or see whether it is a session.`);
}
