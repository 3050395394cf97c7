/**
 * What can be told about whoever holds a file lock.
 */
import type { Holder } from '../lock-store.js';
import type { FileLease } from './file-lease.js';
import { occupantAndRecord, type Occupant } from './occupant.js';
import type { Places } from './session-path.js';

const NOBODY_KNOWN: Holder = {
  attemptId: null, owner: null, token: null, pid: null, host: null, since: null, state: null, note: null, until: null,
  labels: {}, sameProcess: false,
};

/** The holder of a lock; null if it is free. `own`: our own lease of that session, which knows more than the disk. */
export function holderOf(places: Places, own: FileLease | undefined): Holder | null {
  const { occupant, record } = occupantAndRecord(places.lock);
  if (occupant.kind === 'none' || occupant.kind === 'open') return null;
  if (occupant.kind !== 'owner') return { ...NOBODY_KNOWN, remark: remarkOn(occupant) };
  const { name } = occupant;
  const sameProcess = own !== undefined && own.token === name.token;
  return {
    attemptId: record?.attemptId ?? null, owner: record?.owner ?? null, token: name.token || null,
    pid: record?.pid ?? null, host: record?.host ?? null, since: record?.since ?? null,
    state: sameProcess ? own.info.state : record?.state ?? null,
    note: sameProcess ? own.info.note : record?.note ?? null,
    until: name.until, labels: record?.labels ?? {}, sameProcess, facts: record?.facts ?? null,
    ...(record?.supersedable !== undefined && { supersedable: record.supersedable }),
  };
}

function remarkOn(occupant: Extract<Occupant, { kind: 'empty' } | { kind: 'foreign' }>): string {
  return occupant.kind === 'empty'
    ? 'an empty lock directory: plain proper-lockfile, or a start that is under way or crashed'
    : `what is not a lock of ours (${occupant.what})`;
}
