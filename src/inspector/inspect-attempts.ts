/**
 * `inspectAttempts()`: opens the live page of this process's attempts.
 * Owns: how feed, locks and page meet. Must not know: how a page is drawn.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, expectKnown } from '../config-checks.js';
import { expectSomewhere } from '../diagnosis/sessions-at.js';
import { namesDirectory } from '../locks/file/session-path.js';
import { attempts } from '../register.js';
import { RECORDS_CHANNEL } from '../trace/channels.js';
import type { TraceRecord } from '../trace/record.js';
import { Feed, type Entry } from './feed.js';
import { Hub } from './hub.js';
import { LocksWatch } from './locks-watch.js';
import type { LocksNews } from './page/locks-view.js';
import { PageServer } from './server.js';
import type { Viewer } from './viewer.js';

export interface InspectOptions {
  /** Sessions, or directories of sessions, whose locks are shown too, whoever holds them. Default: none. */
  readonly directories?: readonly string[];
  /** Where those locks lie, if not beside the sessions: as given to `localFileLocks`. Default: beside them. */
  readonly directory?: string;
  /** Shows a stop button: a user abort. Default: false. */
  readonly allowAbort?: boolean;
  /** The reason of a stop from the page. Default: `'stopped on the page'`. */
  readonly reason?: unknown;
  /** 1 to 65 535; 0: one the system chooses. Default: 0. */
  readonly port?: number;
  /**
   * The key in the address, 16 to 128 letters, digits, - or _: with `port`, an open page finds a restarted server again.
   * Default: a new one.
   */
  readonly key?: string;
  /** The open page keeps the process alive. Default: false. */
  readonly keepsProcess?: boolean;
  /** The text of a trace to be played when the page opens. Default: none. */
  readonly replay?: string;
  /** A local socket on which other processes may attach, see `attachTo`. Default: none. */
  readonly socket?: string;
}

export interface Inspection extends AsyncDisposable {
  /** The page's address, with its key: whoever has it sees what you see. */
  readonly url: string;
  close(): Promise<void>;
}

export const STOPPED = 'stopped on the page';

/** Puts feed, locks and hub behind the page. */
class Inspector {
  readonly #options: InspectOptions;
  readonly #feed = new Feed((entries) => this.#tell(entries));
  readonly #locks: LocksWatch;
  readonly #server: PageServer;
  readonly #hub: Hub | null;
  #lastLocks: LocksNews | null = null;
  url = '';

  constructor(options: InspectOptions) {
    this.#options = options;
    this.#hub = options.socket === undefined ? null : new Hub(options.socket, this.#feed);
    this.#locks = new LocksWatch(options.directories ?? [], options.directory, (news) => {
      this.#lastLocks = news;
      for (const viewer of this.#server.viewers) viewer.send('locks', news);
    });
    this.#server = new PageServer({
      begin: (viewer) => this.#begin(viewer),
      viewers: (count) => (count > 0 ? this.#locks.start() : this.#locks.stop()),
      abort: async (attemptId) => (options.allowAbort ? this.#abort(attemptId) : null),
    }, options.key ?? null);
  }

  async open(): Promise<void> {
    await this.#hub?.listen();
    try {
      this.url = await this.#server.listen(this.#options.port ?? 0, this.#options.keepsProcess ?? false);
    } catch (error) {
      await this.#hub?.close();
      throw error;
    }
    subscribe(RECORDS_CHANNEL, this.#take);
  }

  async close(): Promise<void> {
    unsubscribe(RECORDS_CHANNEL, this.#take);
    this.#feed.close();
    this.#locks.close();
    await Promise.all([this.#hub?.close(), this.#server.close()]);
  }

  readonly #take = (record: unknown): void => this.#feed.take(record as TraceRecord);

  async #abort(attemptId: string): Promise<unknown> {
    const here = attempts.abort(attemptId, this.#options.reason ?? STOPPED, { by: 'user' });
    return here.state === null && this.#hub ? this.#hub.abort(attemptId) : here;
  }

  #begin(viewer: Viewer): void {
    const { allowAbort = false, directories = [], replay = null } = this.#options;
    viewer.send('hello', {
      now: Date.now(), allowAbort, entries: this.#feed.history(), known: attempts.active(), replay,
      hasDirectories: directories.length > 0,
    });
    if (this.#lastLocks) viewer.send('locks', this.#lastLocks);
    this.#tellDropped();
  }

  #tell(entries: readonly Entry[]): void {
    for (const viewer of this.#server.viewers) viewer.send('entries', entries, entries.length);
    this.#tellDropped();
  }

  #tellDropped(): void {
    const elsewhere = this.#feed.dropped + (this.#hub?.dropped ?? 0);
    for (const viewer of this.#server.viewers) viewer.tellDropped(elsewhere);
  }
}

/**
 * Opens a page, on 127.0.0.1 only, that shows the attempts of this process as they go: states, limits, who waits for whom,
 * events. It sees what traces hold (names, numbers, states), none of a session's content. An attempt never waits for it:
 * what a page does not read in time is dropped and counted.
 *
 * @returns the page's address, and what closes it
 * @throws (rejects) AttemptError `CONFIG_INVALID`, `SESSION_INVALID` (a `directory/` that is missing); the native error where the
 *   port or the socket cannot be had
 */
export async function inspectAttempts(options: InspectOptions = {}): Promise<Inspection> {
  expectKnown(options, ['directories', 'directory', 'allowAbort', 'reason', 'port', 'key', 'keepsProcess', 'replay', 'socket']);
  const { directories = [], directory, allowAbort = false, port = 0, replay, socket, key } = options;
  expect(Array.isArray(directories) && directories.every((one) => typeof one === 'string' && one !== ''),
    'directories', 'a list of paths', directories);
  for (const path of directories) if (namesDirectory(path)) expectSomewhere(path); // a session need not be there yet
  expect(directory === undefined || (typeof directory === 'string' && directory !== ''), 'directory', 'a path', directory);
  expect(typeof allowAbort === 'boolean', 'allowAbort', 'true or false', allowAbort);
  expect(Number.isInteger(port) && port >= 0 && port <= 65_535, 'port', 'an integer from 0 to 65535', port);
  expect(key === undefined || /^[\w-]{16,128}$/.test(key), 'key', '16 to 128 letters, digits, - or _', '(not shown)');
  expect(replay === undefined || typeof replay === 'string', 'replay', 'the text of a trace', replay);
  expect(socket === undefined || (typeof socket === 'string' && socket !== ''), 'socket', 'a path', socket);
  const inspector = new Inspector(options);
  await inspector.open();
  return {
    url: inspector.url,
    close: () => inspector.close(),
    [Symbol.asyncDispose]: () => inspector.close(),
  };
}
