/**
 * Who we are in the eyes of a store: host, boot, pid, process start and an id per instance of this module, so that
 * worker threads and two copies of the package in one process are different owners and a reused pid is not us.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';

export interface Identity {
  readonly host: string;
  /** The kernel's boot id; null where the system has none to tell. */
  readonly boot: string | null;
  readonly pid: number;
  /** When the process started, in the system's own unit (Linux: clock ticks since boot); null where unknown. */
  readonly started: string | null;
  /** Pids mean something only within one namespace; null where there is no telling. */
  readonly pidNamespace: string | null;
  /** One per instance of this module. */
  readonly instance: string;
}

/** What /proc tells of a process. `ended`: it is a zombie with no thread left, so it will never do anything again. */
function processStat(pid: number): { readonly started: string; readonly ended: boolean } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name (field 2) may hold spaces and parentheses: fields are counted from behind it, from field 3 on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
    return started === undefined ? null : { started, ended: (state === 'Z' || state === 'X') && threads <= 1 };
  } catch {
    return null; // No /proc, or no such process: not known, which is not the same as dead.
  }
}

/** The start time of a process from /proc, in clock ticks since boot; null where it cannot be told. */
export const processStart = (pid: number): string | null => processStat(pid)?.started ?? null;

/** A process that /proc does not show may be hidden from us (hidepid); the kernel says whether there is none. */
function isNoProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return null; // Not Linux: the pid then explains, and never decides.
  }
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null; // Not Linux.
  }
}

let cached: Identity | null = null;

/** Our identity; read once. */
export function identity(): Identity {
  cached ??= {
    host: hostname(), boot: bootId(), pid: process.pid, started: processStart(process.pid),
    pidNamespace: pidNamespace(), instance: randomUUID(),
  };
  return cached;
}

/** What a process leaves behind so that others can tell whether it still lives. */
export interface ProcessMark {
  readonly host: string;
  readonly boot: string | null;
  readonly pidNamespace: string | null;
  readonly pid: number;
  readonly started: string | null;
}

/**
 * Is that process provably gone? Only on the same host, boot and pid namespace, and with a start time to compare:
 * anything else is unknown, and unknown is not dead.
 */
export function isProvablyDead(mark: Partial<ProcessMark>): boolean {
  const us = identity();
  const comparable = us.boot !== null && us.pidNamespace !== null && mark.boot === us.boot && mark.host === us.host
    && mark.pidNamespace === us.pidNamespace && typeof mark.started === 'string'
    && Number.isSafeInteger(mark.pid) && (mark.pid as number) > 0;
  if (!comparable) return false;
  const pid = mark.pid as number;
  const now = processStat(pid);
  return now ? now.started !== mark.started || now.ended : isNoProcess(pid);
}

/** Our own mark. */
export function processMark(): ProcessMark {
  const { host, boot, pidNamespace: namespace, pid, started } = identity();
  return { host, boot, pidNamespace: namespace, pid, started };
}

/** This boot of this machine, as a file name. Where there is no boot id, the minute the machine started in. */
export function bootMark(): string {
  return identity().boot ?? `minute-${Math.round((Date.now() / 1_000 - uptime()) / 60)}`;
}

let owners = 0;

/**
 * A new owner for one attempt's lock: different for every attempt, so that `releaseOwner` can be a tombstone; also
 * for one that is given the id of an attempt that has ended.
 */
export function ownerOf(attemptId: string): string {
  const { host, boot, pid, started, instance } = identity();
  owners += 1;
  return [host, boot ?? '-', pid, started ?? '-', instance, owners, attemptId].join('/');
}
