/**
 * A child process writes into the session of the attempt it was started by: with the attempt's token, for as long as
 * the attempt holds the lock. Owns: the environment's words. Must not know: how the lock came to be.
 */
import { resolve } from 'node:path';
import { systemClock } from '../clock.js';
import { AttemptError } from '../errors.js';
import { directoryOf } from '../locks/file/kept-in.js';
import { occupantOf } from '../locks/file/occupant.js';
import { placesOf, type Places } from '../locks/file/session-path.js';
import type { Lease } from '../locks/lock-store.js';
import { AppendFile } from './append-file.js';
import { LeaseCertainty, WriteGate } from './gate.js';
import { encodeRecord } from './line.js';
import type { OpenedSession, SessionRecord } from './session-records.js';
import { createWriter, type SessionWriter } from './writer.js';

/** What `attempt run` tells its command, by environment. */
export interface InheritedEnvironment {
  readonly ATTEMPT_ID?: string | undefined;
  readonly ATTEMPT_TOKEN?: string | undefined;
  readonly ATTEMPT_SESSION?: string | undefined;
  /** `files`, `files:<directory of its locks>`, or the URL of an engine. */
  readonly ATTEMPT_KEPT_IN?: string | undefined;
}

/** An attempt seen from a child of it. */
export interface InheritedAttempt extends Disposable {
  readonly attemptId: string;
  readonly token: number;
  /** The session's path. */
  readonly path: string;
  /** Writes records stamped with the attempt's token; refuses (`WRITE_FENCED`) when the attempt has ended. */
  readonly session: Pick<SessionWriter, 'append' | 'appendSync' | 'guard'>;
  /** Closes the session's file; a write after that is refused (`WRITER_CLOSED`). */
  close(): void;
}

/**
 * What the lock on disk says of the attempt's lease, asked anew at every write: its owner file carries the token, or
 * the attempt has ended. The end is on the wall clock there, and is told on ours.
 */
function leaseOnDisk(places: Places, token: number, owner: string): Lease & { isGone(): boolean } {
  const end = (): number | null => {
    const occupant = occupantOf(places.lock);
    return occupant.kind === 'owner' && occupant.name.token === token ? occupant.name.until : null;
  };
  return {
    token, owner, session: places.session,
    isGone: () => end() === null,
    get deadline() {
      return systemClock.now() + (end() ?? 0) - systemClock.wallNow();
    },
    release: () => Promise.resolve('notHeld'),
    onNotice: () => () => {},
  };
}

/**
 * The session's file, written with the attempt's token by several children of it, one after another or at once: our
 * own token at its end is no news, unlike to an attempt that opens it. A higher one still refuses the write.
 */
function openForSharing(path: string, token: number): OpenedSession {
  const file = new AppendFile(path, token);
  const append = (record: SessionRecord): void => file.append(encodeRecord(record, token));
  return { fencing: 'stamped', append, appendSync: append, close: () => file.detach() };
}

/** How long a write waits while the parent's lease is in doubt, milliseconds: as long as an attempt's `answerMs`. */
const ANSWER_MS = 5_000;

/**
 * What the environment says of the attempt this process runs under.
 * @throws AttemptError `CONFIG_INVALID` outside of an attempt
 */
export function inheritedClaim(
  env: InheritedEnvironment = process.env,
): { readonly attemptId: string; readonly session: string; readonly token: number } {
  const { ATTEMPT_ID: attemptId, ATTEMPT_SESSION: session, ATTEMPT_TOKEN: text } = env;
  const token = Number(text);
  if (attemptId && session && Number.isSafeInteger(token) && token > 0) return { attemptId, session, token };
  const got = attemptId || session || text ? JSON.stringify({ attemptId, token: text, session }) : 'none of them';
  throw new AttemptError(
    'CONFIG_INVALID', `expected to run under \`attempt run\`, which sets ATTEMPT_ID, ATTEMPT_TOKEN and ATTEMPT_SESSION; got ${got}`,
  );
}

/**
 * The attempt this process runs under, as `attempt run` started it.
 *
 * Each write asks the lock on disk first, and carries the attempt's token, so that a write that slips through after
 * the attempt has ended is left out by readers.
 *
 * @param env default: `process.env`
 * @returns a writer for the attempt's session
 * @throws AttemptError `CONFIG_INVALID` outside of an attempt; `WRITE_FENCED` after the attempt's end, also from
 *   each write; from a write also `SESSION_INVALID`, `WRITE_FAILED` and `RECORD_INVALID`
 */
export function inheritAttempt(env: InheritedEnvironment = process.env): InheritedAttempt {
  const { attemptId, session, token } = inheritedClaim(env);
  const directory = directoryOf(env.ATTEMPT_KEPT_IN ?? 'files');
  if (directory === null) {
    throw new AttemptError('CONFIG_INVALID', `${session}: expected an attempt on a session in a file, got one kept in an engine; `
      + 'write its records through `attempt append`');
  }
  const lease = leaseOnDisk(placesOf(resolve(session), directory, 'read'), token, attemptId);
  let closed = false;
  const gate = new WriteGate({
    isOpen: () => !closed, isLost: () => lease.isGone(), token, certainty: new LeaseCertainty(lease, systemClock),
  });
  if (lease.isGone()) {
    throw new AttemptError(
      'WRITE_FENCED', `${session}: attempt ${attemptId} (token ${token}) has ended; nothing can be written for it any more.`,
    );
  }
  const opened = openForSharing(lease.session ?? session, token);
  const { session: writer } = createWriter({ gate, opened, clock: systemClock, answerMs: ANSWER_MS });
  const close = (): void => {
    closed = true;
    void opened.close();
  };
  return { attemptId, token, path: lease.session ?? session, session: writer, close, [Symbol.dispose]: close };
}
