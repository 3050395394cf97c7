/**
 * Attaches this process to a page that runs elsewhere: its records are sent over a local socket. A page that does not read
 * fast enough loses records, which are counted; one that has gone is forgotten.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { expect } from '../config-checks.js';
import { attempts } from '../register.js';
import { RECORDS_CHANNEL } from '../trace/channels.js';
import { onMessages } from './hub.js';
import { STOPPED } from './inspect-attempts.js';

export interface AttachOptions {
  /** Lets whoever looks at that page stop attempts of this process. Default: false. */
  readonly allowAbort?: boolean;
  /** The reason of such a stop. Default: `'stopped on the page'`. */
  readonly reason?: unknown;
}

const MOST_UNREAD_BYTES = 2 ** 20;

/**
 * Sends what the attempts of this process do, from now on, to the page that listens on this socket
 * (`attempt inspect --socket PATH`). It keeps neither the process alive nor any attempt waiting.
 * @returns what ends that
 * @throws (rejects) AttemptError `CONFIG_INVALID`; the native error where nobody listens there
 */
export async function attachTo(socketPath: string, { allowAbort = false, reason = STOPPED }: AttachOptions = {}): Promise<() => void> {
  expect(typeof socketPath === 'string' && socketPath !== '', 'socketPath', 'a path', socketPath);
  const socket = connect(socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.unref();
  let dropped = 0;
  const send = (message: object): void => void socket.write(`${JSON.stringify(message)}\n`);
  const take = (record: unknown): void => {
    if (socket.writableLength > MOST_UNREAD_BYTES) {
      dropped += 1;
      return;
    }
    if (dropped > 0) send({ dropped });
    dropped = 0;
    send({ record });
  };
  const stop = (): void => {
    unsubscribe(RECORDS_CHANNEL, take);
    socket.destroy();
  };
  onMessages(socket, (message) => {
    const { abort } = message;
    if (typeof abort !== 'string') return;
    const answer = allowAbort ? attempts.abort(abort, reason, { by: 'user' })
      : { accepted: false, state: 'its process does not allow it', abortedBy: null };
    send({ aborted: abort, answer });
  });
  socket.on('close', () => unsubscribe(RECORDS_CHANNEL, take));
  subscribe(RECORDS_CHANNEL, take);
  return stop;
}
