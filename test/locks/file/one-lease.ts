/**
 * A file lease over a hold that does what the test says, on a clock of the test's own.
 */
import { join } from 'node:path';
import { vi } from 'vitest';
import { FileLease } from '../../../src/locks/file/file-lease.js';
import type { OwnLock } from '../../../src/locks/file/lock-directory.js';
import type { OwnerRecord } from '../../../src/locks/file/owner-entry.js';
import type { HolderInfo, LeaseNotice } from '../../../src/locks/lock-store.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';

export const LEASE_MS = 9_000;
export const RENEW_MS = 3_000;

export type Facts = NonNullable<OwnerRecord['facts']>;

interface More {
  readonly passOn?: () => boolean;
  readonly isAwaited?: () => boolean;
  readonly token?: number;
  readonly own?: object;
  readonly places?: object;
  readonly info?: Partial<HolderInfo>;
}

export function setUp(more: More = {}) {
  const clock = new VirtualClock();
  const room = join(temporaryDirectory(), 's.attempt');
  const disk = { there: true, trouble: null as Error | null };
  const answer = (): boolean => {
    if (disk.trouble) throw disk.trouble;
    return disk.there;
  };
  const renew = vi.fn((_until: number, _token?: number) => answer());
  const retell = vi.fn((_record: OwnerRecord) => answer());
  const remove = vi.fn(answer);
  const own = {
    id: 'id', name: { token: more.token ?? 7, until: 1, id: 'id' }, places: { session: '/s', lock: '/s.lock', room, mode: null, ...more.places },
    renew, retell, remove, isThere: () => disk.there, ...more.own,
  } as unknown as OwnLock;
  const unlock = vi.fn(answer);
  const info = { attemptId: 'a', pid: 1, host: 'h', state: 'running.working', note: null as string | null, labels: {}, ...more.info };
  const facts = { current: null as Partial<Facts> | null };
  const ended = vi.fn();
  const passOn = vi.fn(more.passOn ?? (() => false));
  const lease = new FileLease({
    own, hold: { own, unlock }, owner: 'o', info, clock, leaseMs: LEASE_MS, renewMs: RENEW_MS, passOn, passed: 3, isOwedToAll: false,
    record: () => ({ facts: facts.current }) as unknown as OwnerRecord, ended, isAwaited: more.isAwaited ?? (() => false),
  }, clock.now());
  const heard: LeaseNotice[] = [];
  lease.onNotice((notice) => heard.push(notice));
  /** So long later a beat. */
  const beatIn = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    lease.beat();
  };
  return { clock, room, disk, own, renew, retell, remove, unlock, info, facts, ended, passOn, lease, heard, beatIn };
}
