/**
 * Does the process that holds a lock still live, and is it at work? Told by its start time and state, and only where
 * that can be told: the same host, boot and pid namespace. Unknown is not dead.
 */
import { readFileSync } from 'node:fs';
import type { OwnerRecord } from '../locks/file/owner-entry.js';
import { identity, isProvablyDead, processStart } from '../owner.js';
import { inWords } from '../text.js';

/**
 * - `alive`: it lives, and renews its lease
 * - `wedged`: it lives and does not renew: its event loop is blocked, or it waits for a disk
 * - `asleep`: it is stopped (SIGSTOP, Ctrl-Z, a debugger)
 * - `gone`: provably ended
 * - `unknown`: there is no telling from here
 */
export type Vitality = 'alive' | 'wedged' | 'asleep' | 'gone' | 'unknown';

export interface Liveness {
  readonly verdict: Vitality;
  /** What it was told by, one phrase each. */
  readonly evidence: readonly string[];
}

/** A lease is renewed at a third of it, at least every 3 s (`local-file-locks.ts`); this late, it is late. */
export const lateAfterMs = (leaseMs: number): number => 2 * Math.min(3_000, leaseMs / 3);

/** The state letter of a process (R, S, D, T, Z ...); null where it cannot be told. */
function processState(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? null;
  } catch {
    return null; // ended while we looked, or no /proc
  }
}

const isGone = (evidence: string): Liveness => ({ verdict: 'gone', evidence: [evidence] });
const isUnknown = (evidence: string): Liveness => ({ verdict: 'unknown', evidence: [evidence] });

/**
 * @param until the end of the lease, on the wall clock that keeps it
 * @param now on the same clock
 * @param lateMs so long after a renewal the next one is late. Default: as of a lock in files
 */
export function livenessOf(
  record: Partial<OwnerRecord>, until: number, now: number, lateMs = lateAfterMs(record.leaseMs ?? 0),
): Liveness {
  const us = identity();
  const { pid, host, boot, pidNamespace, started, leaseMs } = record;
  if (pid === undefined || host === undefined) return isUnknown('its record does not say which process it is');
  if (host !== us.host) return isUnknown(`it runs on ${host}: only there can its process be looked at`);
  if (us.boot !== null && typeof boot === 'string' && boot !== us.boot) {
    return isGone('this machine has been started anew since');
  }
  if (us.boot === null || typeof boot !== 'string') return isUnknown('this system has no way to tell one boot from another');
  if (pidNamespace !== us.pidNamespace) return isUnknown('it runs in another pid namespace (a container)');
  if (typeof started !== 'string') return isUnknown('its record does not say when its process started');
  const [running, state] = [processStart(pid), processState(pid)];
  const isZombie = running === started && (state === 'Z' || state === 'X');
  if (isZombie) return isGone(`process ${pid} has ended and is only waiting to be reaped`);
  if (isProvablyDead(record)) {
    return isGone(running === null ? `there is no process ${pid}` : `process ${pid} is another one: it started at another time`);
  }
  if (running === null) return isUnknown(`process ${pid} is hidden from us`);
  const lives = `process ${pid} lives, started at the time its record says`;
  if (state === 'T' || state === 't') return { verdict: 'asleep', evidence: [lives, 'it is stopped (state T)'] };
  if (leaseMs === undefined) return isUnknown(`${lives}; its record does not say how long its lease is`);
  const silentMs = now - (until - leaseMs);
  const renewed = `it renewed its lease ${inWords(silentMs)} ago`;
  if (silentMs <= lateMs) return { verdict: 'alive', evidence: [lives, renewed] };
  const doing = state === 'R' ? ['it is computing (state R)'] : state === 'D' ? ['it waits for a disk (state D)'] : [];
  return { verdict: 'wedged', evidence: [lives, ...doing, `${renewed}, which is late`] };
}
