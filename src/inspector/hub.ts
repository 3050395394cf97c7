/**
 * Where other processes attach: a local socket (a named pipe on Windows), one JSON message a line, both ways. A runner sends
 * its records; the hub may ask it to stop an attempt.
 * Owns: the connections. Must not know: what a page shows.
 */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { recordFrom } from '../trace/read-trace.js';
import type { Feed } from './feed.js';

/** A line longer than this is no message of ours. */
const MOST_LINE = 2 ** 16;
const ANSWER_MS = 2_000;

/** Splits what arrives into messages. Whoever sends what is not one is cut off. */
export function onMessages(socket: Socket, take: (message: Record<string, unknown>) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    try {
      if (rest.length > MOST_LINE) throw new RangeError('too long');
      for (const line of lines) take(JSON.parse(line) as Record<string, unknown>);
    } catch {
      socket.destroy(); // not one of ours
    }
  });
  socket.on('error', () => socket.destroy()); // gone: nothing is owed to it
}

export class Hub {
  readonly #path: string;
  readonly #feed: Feed;
  readonly #server: Server;
  readonly #runners = new Set<Socket>();
  /** Who works on what, to know whom to ask. */
  readonly #at = new Map<string, Socket>();
  readonly #asked = new Map<string, (answer: unknown) => void>();
  /** What runners dropped because we did not read fast enough. */
  dropped = 0;

  constructor(path: string, feed: Feed) {
    this.#path = path;
    this.#feed = feed;
    this.#server = createServer((socket) => this.#attach(socket));
  }

  /** @throws (rejects) the native error, `EADDRINUSE` where another page listens there */
  async listen(): Promise<void> {
    await this.#removeDead();
    const isFile = process.platform !== 'win32';
    const mask = isFile && isMainThread ? process.umask(0o077) : null; // for nobody but us
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(this.#path, resolve);
      });
    } finally {
      if (mask !== null) process.umask(mask);
    }
    if (isFile) chmodSync(this.#path, 0o600); // a worker thread has no umask of its own
    this.#server.unref();
  }

  async close(): Promise<void> {
    for (const socket of this.#runners) socket.destroy();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  /** @returns the runner's own answer; `state: null` where nobody works on it or no answer came */
  async abort(attemptId: string): Promise<unknown> {
    const none = { accepted: false, state: null, abortedBy: null };
    const socket = this.#at.get(attemptId);
    if (!socket) return none;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(none), ANSWER_MS);
      this.#asked.set(attemptId, (answer) => {
        clearTimeout(timer);
        this.#asked.delete(attemptId);
        resolve(answer);
      });
      socket.write(`${JSON.stringify({ abort: attemptId })}\n`);
    });
  }

  /** A socket file whose listener died is nobody's: it is removed, if nobody answers there. */
  async #removeDead(): Promise<void> {
    if (process.platform === 'win32') return;
    const isDead = await new Promise<boolean>((resolve) => {
      const probe = connect(this.#path, () => { probe.destroy(); resolve(false); });
      probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    });
    if (isDead) rmSync(this.#path, { force: true });
  }

  #attach(socket: Socket): void {
    this.#runners.add(socket);
    socket.on('close', () => {
      this.#runners.delete(socket);
      for (const [id, one] of this.#at) if (one === socket) this.#at.delete(id);
    });
    onMessages(socket, (message) => {
      if (typeof message['dropped'] === 'number') this.dropped += message['dropped'];
      if (typeof message['aborted'] === 'string') this.#asked.get(message['aborted'])?.(message['answer']);
      const record = 'record' in message ? recordFrom(message['record']) : null;
      if (record === null || typeof record === 'string') return;
      if (record.kind === 'end') this.#at.delete(record.attemptId);
      else this.#at.set(record.attemptId, socket);
      this.#feed.take(record);
    });
  }
}
