/**
 * The writes of one attempt to an engine, in order, several at a time where they come faster than they are answered.
 * Every record has a number that rises within its token: a write whose answer was lost is asked again under the same
 * numbers, and is then one write. Owns: order, numbers, retries. Must not know: which engine.
 */
import { systemClock } from '../../clock.js';
import { AttemptError, describe } from '../../errors.js';
import { encodeRecord } from '../../session/line.js';
import type { SessionContent, SessionEntry } from '../../session/read-session.js';
import type { OpenedSession, SessionRecord, SessionRecords } from '../../session/session-records.js';
import { within } from './within.js';

/** Records kept in an engine, and how to read them. */
export interface EngineRecords extends SessionRecords {
  /** Every record, in order. No lock is needed. The engine refuses what a fenced attempt writes, so none is left out. */
  stream(session: string): AsyncGenerator<SessionEntry, void, undefined>;
  /**
   * The next records after a place, at most some thousand; none at the end, so far.
   * @param after where the last page ended; null: from the beginning
   */
  page(session: string, after: string | null): Promise<RecordPage>;
  /** All of them at once, in the shape of `readSession`. */
  read(session: string): Promise<SessionContent>;
}

export interface RecordPage {
  readonly entries: readonly SessionEntry[];
  /** Where it ended: what to ask for the next one with. */
  readonly end: string | null;
}

/** Records with consecutive numbers, as JSON. */
export interface Batch {
  /** Null: numbered by the engine, after whatever is there. */
  readonly first: number | null;
  readonly records: readonly string[];
  /** In place of all there are before them. */
  readonly replaces: boolean;
}

/** How the engine writes: at once or not at all, and only while the attempt's grant is the session's. */
export interface BatchWriter {
  /** @returns false: fenced, the grant is not ours any more; nothing was written */
  write(batch: Batch): Promise<boolean>;
  /** Is the record with this number there? Asked once it is fenced: from then on nothing can come after. */
  has(number: number): Promise<boolean>;
  isConnectionFailure(error: unknown): boolean;
}

interface Waiting {
  readonly records: readonly string[];
  readonly replaces: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One write takes at most so many records, and about so many characters: a statement has to stay a short one. */
const MOST_RECORDS = 500;
const MOST_CHARACTERS = 1_000_000;

/** How long a write is asked again, milliseconds, and how long each answer is waited for: as an attempt's `answerMs`. */
const ANSWER_MS = 5_000;
const PAUSE_MS = 50;

export class RecordQueue {
  readonly #session: string;
  readonly #writer: BatchWriter;
  #waiting: Waiting[] = [];
  #next: number | null;
  #writing = false;
  #closed = false;

  /**
   * @param next the number of the first record; null: one of several writers of this token, so that the engine numbers.
   *   Then a write whose answer was lost is not asked again: it might be written twice
   */
  constructor(session: string, writer: BatchWriter, next: number | null = 1) {
    this.#session = session;
    this.#writer = writer;
    this.#next = next;
  }

  /** What an attempt writes with. `close` lets go of nothing: what was begun is still written. */
  opened(): OpenedSession {
    return {
      fencing: 'stamped', // the engine itself goes by the token
      append: (record) => this.#push([encode(record)], false),
      ...(this.#next !== null && { replace: (records) => this.#push(Array.from(records, encode), true) }),
      close: () => { this.#closed = true; },
    };
  }

  #push(records: readonly string[], replaces: boolean): Promise<void> {
    if (this.#closed) {
      const what = `Expected "${this.#session}" to be open, but found it closed. Nothing written.`;
      return Promise.reject(new AttemptError('WRITE_FAILED', what));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, replaces, resolve, reject });
      if (!this.#writing) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    for (let some = this.#take(); some.length > 0; some = this.#take()) {
      const records = some.flatMap((one) => one.records);
      const batch = { first: this.#next, records, replaces: some[0]?.replaces === true };
      if (this.#next !== null) this.#next += records.length;
      try {
        if (await this.#write(batch)) some.forEach(({ resolve }) => resolve());
        else some.forEach(({ reject }) => reject(this.#fenced()));
      } catch (error) {
        some.forEach(({ reject }) => reject(this.#failed(error)));
      }
    }
    this.#writing = false;
  }

  /** The next writes that can go as one: appends that follow each other, or one replacement. */
  #take(): Waiting[] {
    let records = 0;
    let characters = 0;
    let count = 0;
    for (const one of this.#waiting) {
      records += one.records.length;
      characters += one.records.reduce((sum, { length }) => sum + length, 0);
      if (count > 0 && (one.replaces || records > MOST_RECORDS || characters > MOST_CHARACTERS)) break;
      count += 1;
      if (one.replaces) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(batch: Batch): Promise<boolean> {
    const until = performance.now() + ANSWER_MS;
    for (let unanswered: unknown = null; ;) {
      const answer = await within(systemClock, ANSWER_MS, this.#writer.write(batch)).catch((error: unknown) => {
        const again = batch.first !== null && this.#writer.isConnectionFailure(error) && performance.now() + PAUSE_MS <= until;
        if (!again) throw error;
        unanswered = error;
        return null;
      });
      if (answer === true) return true;
      if (answer === false) return this.#wasWritten(batch, unanswered);
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }

  /**
   * Fenced. It may have been written when it was asked for before, by us or by a client that resends what was cut off.
   * All of a batch is there, or none.
   */
  async #wasWritten({ first, records }: Batch, unanswered: unknown): Promise<boolean> {
    if (first !== null && records.length > 0) return within(systemClock, ANSWER_MS, this.#writer.has(first));
    if (unanswered === null) return false;
    throw unanswered;
  }

  #fenced(): AttemptError {
    return new AttemptError('WRITE_FENCED', `${this.#session}: expected the lock to be held by this attempt, in the engine that `
      + 'keeps the records, but it is not (any more): another attempt has been granted it, or the lock is kept elsewhere. '
      + 'Nothing of this write is there.');
  }

  #failed(cause: unknown): AttemptError {
    if (cause instanceof AttemptError) return cause;
    const known = !this.#writer.isConnectionFailure(cause);
    const what = `the engine ${known ? 'refused the write' : 'gave no answer'}: ${describe(cause)}`;
    return new AttemptError('WRITE_FAILED', `${this.#session}: ${what}. `
      + `${known ? 'Nothing was written' : 'Whether it was written is not known; read the session to find out'}.`, { cause });
  }
}

/** One record as JSON. Throws `RECORD_INVALID`. */
const encode = (record: SessionRecord): string => encodeRecord(record, null).trimEnd();

/** All of a stream, in the shape of `readSession`: an engine has no torn lines, and refuses what readers would leave out. */
export async function collected(entries: AsyncIterable<SessionEntry>): Promise<SessionContent> {
  const records: SessionEntry[] = [];
  for await (const entry of entries) records.push(entry);
  return { records, discarded: 0, torn: [] };
}

/** All pages, one after another. */
export async function* streamed(page: (after: string | null) => Promise<RecordPage>): AsyncGenerator<SessionEntry, void, undefined> {
  for (let after: string | null = null; ;) {
    const { entries, end }: RecordPage = await page(after);
    yield* entries;
    if (entries.length === 0 || end === null) return;
    after = end;
  }
}

/** Refused at opening: the lock this attempt holds is not where the records are. */
export function notHeldHere(session: string, engine: string): AttemptError {
  return new AttemptError('WRITE_FENCED', `${session}: expected its lock to be held by this attempt in the same ${engine}, `
    + 'found it is not. ' + `Use the locks and the records of one engine together, with the same schema or prefix.`);
}
