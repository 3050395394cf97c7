/**
 * `attempt log`: the records of a session as readers see them, and what was left out and why.
 */
import { statSync, watch } from 'node:fs';
import { AttemptError } from '../errors.js';
import { streamSession } from '../session/read-session.js';
import { fit, harmlessJson, shortId } from '../text.js';
import { attemptNames } from './attempt-names.js';
import { logFrom, openStore } from './store.js';
import type { StoreOption } from './store-option.js';

export interface LogOptions extends StoreOption {
  readonly json?: boolean;
  readonly follow?: boolean;
}

/** A watcher can miss; behind it we look this often. */
const LOOK_MS = 500;

/** Each look reads the session anew, so that what readers would leave out is left out: not more often than this. */
const PAUSE_MS = 50;

/** A given attempt id may have 200 characters; the record is what one looks for. */
const NAME_WIDTH = 24;

/** One line of the log: a record, or what was left out of the session and why. */
interface Entry {
  readonly token: number | null;
  readonly record?: unknown;
  readonly leftOut?: string;
  readonly line?: number;
}

class Log {
  readonly #file: string;
  readonly #directory: string | undefined;
  readonly #json: boolean;
  #id = '';
  #size = 0;
  #shown = 0;
  #leftOut = 0;
  #torn = new Set<number>();
  #gone = false;
  #names: ReadonlyMap<number, string> = new Map();

  constructor(file: string, directory: string | undefined, json: boolean) {
    this.#file = file;
    this.#directory = directory;
    this.#json = json;
    process.stdout.once('error', () => { this.#gone = true; }); // whoever read us has gone: there is nobody to tell
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Prints what has not been printed yet. A session that was replaced meanwhile is printed anew. */
  async print(last: boolean): Promise<void> {
    this.#noticeReplacement();
    this.#names = attemptNames(this.#file, this.#directory);
    let seen = 0;
    let leftOut = 0;
    let highest = 0;
    const torn: number[] = [];
    const entries = streamSession(this.#file, {
      onDiscarded: ({ record, token, line }) => {
        leftOut += 1;
        const why = `token ${token} after token ${highest}`;
        if (leftOut > this.#leftOut) this.#line({ token, leftOut: why, line, record });
      },
      onTorn: (line) => torn.push(line),
    });
    for await (const { record, token } of entries) {
      if (this.#gone) return;
      highest = Math.max(highest, token ?? 0);
      seen += 1;
      if (seen > this.#shown) this.#line({ token, record });
    }
    this.#shown = seen;
    this.#leftOut = leftOut;
    this.#tellTorn(torn, last);
  }

  /** A torn line at the very end may only be in the middle of being written: it is told when something follows it. */
  #tellTorn(torn: readonly number[], last: boolean): void {
    const sure = last ? torn : torn.slice(0, -1);
    for (const line of sure) {
      if (this.#torn.has(line)) continue;
      this.#torn.add(line);
      this.#line({ token: null, leftOut: 'torn: something in it cannot be read', line });
    }
  }

  sum(): void {
    if (this.#json || this.#gone) return;
    const leftOut = this.#leftOut === 0 ? '' : `, ${this.#leftOut} left out`;
    const torn = this.#torn.size === 0 ? '' : `, ${this.#torn.size} torn`;
    process.stderr.write(`${this.#shown} ${this.#shown === 1 ? 'record' : 'records'}${leftOut}${torn}\n`);
  }

  #noticeReplacement(): void {
    const stat = statSync(this.#file, { throwIfNoEntry: false });
    const id = stat ? `${stat.dev}:${stat.ino}` : '';
    const size = stat?.size ?? 0;
    if (this.#id !== '' && (id !== this.#id || size < this.#size)) {
      this.#shown = 0;
      this.#leftOut = 0;
      this.#torn = new Set();
      if (!this.#json) process.stderr.write('the session was replaced; from its beginning:\n');
    }
    this.#id = id;
    this.#size = size;
  }

  #line(entry: Entry): void {
    if (this.#gone) return;
    const attempt = entry.token === null ? null : this.#names.get(entry.token) ?? null;
    const { token: of, ...rest } = entry;
    if (this.#json) return void process.stdout.write(`${harmlessJson({ token: of, attempt, ...rest })}\n`);
    const name = fit(attempt === null ? '-' : shortId(attempt), NAME_WIDTH);
    const token = `${String(entry.token ?? '-').padStart(6)}  ${name.padEnd(8)}`;
    const why = entry.leftOut === undefined ? '' : `[left out: line ${entry.line}, ${entry.leftOut}] `;
    process.stdout.write(`${token}  ${why}${entry.record === undefined ? '' : harmlessJson(entry.record)}\n`);
  }
}

/**
 * Prints a session's records with their tokens. With `follow` it goes on until it is interrupted, or nobody reads it.
 * @throws AttemptError `SESSION_INVALID` for a session that does not exist, or is a directory
 */
export async function log(session: string, { json = false, follow = false, ...options }: LogOptions): Promise<void> {
  const { records, directory, close } = await openStore(options);
  if (records !== null) return logFrom(records, session, { json, follow }).finally(close);
  if (!follow && !statSync(session, { throwIfNoEntry: false })) {
    throw new AttemptError('SESSION_INVALID', `${session}: expected a session, found nothing; its first record makes it`);
  }
  const view = new Log(session, directory, json);
  await view.print(!follow);
  if (!follow) return view.sum();
  while (!view.gone) {
    await changed(session);
    await view.print(false);
  }
}

async function changed(file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    let watcher: ReturnType<typeof watch> | null = null;
    const done = (): void => {
      clearTimeout(timer);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    try {
      watcher = watch(file, done).on('error', done);
    } catch { /* not there yet, or no watch to be had: the timer looks again */ }
  });
  await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
}
