/**
 * What the session tests share: a directory that is gone afterwards, a lease that is only data, a clock that is told.
 * Owns: the check that no descriptor of ours stays open. Must not know: what is tested.
 */
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { AttemptError, type AttemptErrorCode } from '../../src/errors.js';
import type { Lease } from '../../src/locks/lock-store.js';
import { fileRecords } from '../../src/session/file-records.js';
import type { OpenRequest, OpenedSession } from '../../src/session/session-records.js';

/** A directory per test. After each test every session opened here is closed, and nothing else may be open in it. */
export function useScratch(): { readonly dir: string; path(name: string): string; open: typeof openFile } {
  let dir = '';
  let opened: OpenedSession[] = [];
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-session-')));
    opened = [];
  });
  afterEach(() => {
    for (const session of opened) void session.close();
    const stillOpen = descriptorsIn(dir);
    rmSync(dir, { recursive: true, force: true });
    expect(stillOpen, 'descriptors left open').toEqual([]);
  });
  return {
    get dir() { return dir; },
    path: (name) => join(dir, name),
    open(path, token, request) {
      const session = openFile(path, token, request);
      opened.push(session);
      return session;
    },
  };
}

function descriptorsIn(dir: string): string[] {
  if (process.platform !== 'linux') return []; // only Linux lists them
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(join('/proc/self/fd', fd));
      return target.startsWith(dir) ? [target] : [];
    } catch {
      return []; // the descriptor that listed the directory is itself gone by now
    }
  });
}

export function leaseWith(token: number, more: Partial<Lease> = {}): Lease {
  return {
    token, owner: `owner-${token}`, deadline: Infinity,
    release: () => Promise.resolve('released' as const), onNotice: () => () => undefined, ...more,
  };
}

/** Opens a session file as an attempt with this token would. */
export function openFile(path: string, token: number | null, request: Partial<OpenRequest> = {}) {
  return fileRecords().open({
    session: path, lease: leaseWith(token ?? 0), token, tokenScope: 'durable', signal: new AbortController().signal,
    ...request,
  }) as Required<OpenedSession>;
}

/** What this throws, which has to be an AttemptError of this code. */
export function thrown(code: AttemptErrorCode, fn: () => unknown): AttemptError {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(AttemptError);
    expect((error as AttemptError).code).toBe(code);
    return error as AttemptError;
  }
  throw new Error(`expected ${code}, but nothing was thrown`);
}

/** Time that moves only when told, with a sleep that the monotonic clock does not see. */
export class FakeClock implements Clock {
  mono = 1_000;
  slept = 0;
  #timers: { at: number; fn: () => void }[] = [];

  now = () => this.mono;
  wallNow = () => 1_700_000_000_000 + this.mono + this.slept;
  sleeplessNow = () => this.mono + this.slept;

  setTimeout = (fn: () => void, ms: number): unknown => {
    const timer = { at: this.mono + ms, fn };
    this.#timers.push(timer);
    return timer;
  };

  clearTimeout = (handle: unknown): void => {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  };

  get timers(): number {
    return this.#timers.length;
  }

  sleep(ms: number): void {
    this.slept += ms;
  }

  advance(ms: number): void {
    const end = this.mono + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.clearTimeout(next);
      this.mono = Math.max(this.mono, next.at);
      next.fn();
    }
    this.mono = end;
  }
}
