/**
 * Waiting for a file lock: announced by a small file in the room, so that others can see who waits, and woken by
 * watching the lock directory, with a slow poll behind it.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, watch, writeSync, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { identity, isProvablyDead, processMark } from '../../owner.js';
import type { HolderInfo, Waiter } from '../lock-store.js';
import { attempted } from './errno.js';

/** Poll behind the watcher; alone, where watching is not possible (too many watches), it polls faster. */
export const SLOW_POLL_MS = 500;
export const FAST_POLL_MS = 50;

/** Watches whatever lies at the lock's place. Null if nothing does, or if watching is not possible. */
export function watchLock(lock: string, woken: () => void): FSWatcher | null {
  try {
    const watcher = watch(lock, woken);
    watcher.on('error', woken); // it is closed by whoever armed it; the poll goes on
    return watcher;
  } catch {
    return null; // gone meanwhile, or no watch to be had: the caller tries again, or polls
  }
}

/** Where there is no telling whether its process lives, a waiter is no longer believed after so long. */
const MOST_WAIT_MS = 24 * 60 * 60 * 1_000;

const PATTERN = /^wait\.(\d{1,16})\.([0-9a-f-]{36})$/;

/**
 * Tells others that we wait. It only explains: a room that cannot be written is no reason not to wait.
 * @returns what takes it back
 */
export function announce(room: string, id: string, since: number, info: HolderInfo): () => void {
  try {
    return write(room, id, since, info);
  } catch {
    return () => {}; // nobody sees us wait; the try for the lock itself will say what is wrong
  }
}

function write(room: string, id: string, since: number, info: HolderInfo): () => void {
  const path = join(room, `wait.${since}.${id}`);
  mkdirSync(room, { recursive: true });
  clearDead(room);
  const fd = openSync(path, 'wx');
  try {
    writeSync(fd, JSON.stringify({ attemptId: info.attemptId, since, ...processMark() }));
  } finally {
    closeSync(fd);
  }
  return () => {
    try {
      unlinkSync(path);
    } catch { /* gone with its room; or the disk is in trouble, and whoever waits next finds our process gone */ }
  };
}

interface Announced extends Waiter {
  readonly path: string;
  readonly dead: boolean;
}

/** Who waits, the longest first; the dead among them are marked, where that can be told. */
function announced(room: string): Announced[] {
  let names: string[];
  try {
    names = readdirSync(room);
  } catch {
    return []; // no room, nobody in it
  }
  return names.filter((name) => PATTERN.test(name)).sort().flatMap((name) => {
    const path = join(room, name);
    try {
      const found = JSON.parse(readFileSync(path, 'utf8').slice(0, 4096)) as Record<string, unknown>;
      const { attemptId, pid, host, since } = found;
      if (typeof attemptId !== 'string' || typeof pid !== 'number' || typeof host !== 'string') return [];
      const sameProcess = pid === process.pid && found['started'] === processMark().started;
      return [{ attemptId, pid, host, since: Number(since), sameProcess, path, dead: isGone(found) }];
    } catch {
      return []; // left the line while we looked, or being written
    }
  });
}

function isGone(found: Record<string, unknown>): boolean {
  const { boot, host, started, pidNamespace, since } = found;
  const us = identity();
  if (isProvablyDead(found)) return true;
  if (host === us.host && typeof boot === 'string' && us.boot !== null && boot !== us.boot) return true;
  const canTell = host === us.host && pidNamespace === us.pidNamespace && typeof started === 'string';
  return !canTell && !(Number(since) > Date.now() - MOST_WAIT_MS);
}

function clearDead(room: string): void {
  for (const { path, dead } of announced(room)) if (dead) attempted(() => unlinkSync(path), 'ENOENT');
}

/** Who waits for the lock of this room, in any process. Waiters whose process is gone are left out. */
export function waitersOf(room: string): readonly Waiter[] {
  return announced(room).filter(({ dead }) => !dead)
    .map(({ attemptId, pid, host, since, sameProcess }) => ({ attemptId, pid, host, since, sameProcess }));
}
