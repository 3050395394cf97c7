/**
 * One try for a lock: when what is there may be replaced, what a grant says about its holder, and what a lease that is
 * passed on takes along.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import properLockfile from 'proper-lockfile';
import { describe, expect, test, vi } from 'vitest';
import type { FileLease } from '../../../src/locks/file/file-lease.js';
import { OUR_MARK, occupantOf, recordOf, type Occupant } from '../../../src/locks/file/occupant.js';
import { isAbandoned, passOn, replaceableAt, tryOnce, type TrySettings } from '../../../src/locks/file/one-try.js';
import { placesOf, type Places } from '../../../src/locks/file/session-path.js';
import type { AcquireRequest, HolderInfo } from '../../../src/locks/lock-store.js';
import { processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const LEASE_MS = 20_000;

describe('what is there may be replaced', () => {
  const empty = (mode: number): Occupant => ({ kind: 'empty', staged: [], ino: 1, birthtimeMs: 1, mtimeMs: 1_000, mode });
  test.each<[string, Occupant, number, number]>([
    ['nothing: at any time', { kind: 'none' }, 2_000, -Infinity],
    ['an owner: at its end, and what clocks drift apart later', { kind: 'owner', entry: '', name: { token: 1, until: 1_000, id: ID } }, 2_000, 1_030],
    ['an owner of a longer lease: more later', { kind: 'owner', entry: '', name: { token: 1, until: 1_000, id: ID } }, 20_000, 1_210],
    ['an empty one of ours: after two seconds', empty(OUR_MARK | 0o755), 20_000, 3_000],
    ['a plain user\'s: when plain users take it for dead', empty(0o755), 2_000, 11_000],
    ['a plain user\'s, with a longer lease of ours: when that would end', empty(0o755), 20_000, 21_000],
    ['anything else: never', { kind: 'foreign', what: '' }, 2_000, Infinity],
  ])('L3: %s', (_what, occupant, leaseMs, at) => expect(replaceableAt(occupant, leaseMs)).toBe(at));

  const US = processMark();
  const NOW = 1_000_000;
  /** The latest end that a lease of two seconds can have, with what clocks drift apart. */
  const LATEST = NOW + 2_000 + 30;
  const elsewhen = { ...US, boot: 'another', leaseMs: 2_000 };

  test.runIf(process.platform === 'linux').each<[string, object | null, number, boolean]>([
    ['who lives is not', { ...US, leaseMs: 2_000 }, LATEST + 1, false],
    ['who has died is, before its end', { ...US, pid: 2 ** 22 + 1, leaseMs: 2_000 }, LATEST, true],
    ['who has not told who it is is not', null, LATEST + 1, false],
    ['who is of another boot and ends later than any lease can is', elsewhen, LATEST + 1, true],
    ['who is of another boot and ends as late as a lease can is not', elsewhen, LATEST, false],
    ['who is of another boot and does not tell its lease is not', { ...elsewhen, leaseMs: undefined }, LATEST + 1, false],
    ['who does not tell its boot is not', { ...elsewhen, boot: null }, LATEST + 1, false],
    ['who is of another host is not', { ...elsewhen, host: 'another' }, LATEST + 1, false],
    ['who is of this boot in another pid namespace is not', { ...US, pidNamespace: 'pid:[1]', leaseMs: 2_000 }, LATEST + 1, false],
  ])('M14 S16: as one abandoned: %s', (_who, record, until, abandoned) => {
    const lock = join(temporaryDirectory(), 's.lock');
    mkdirSync(lock);
    writeFileSync(join(lock, `owner.3.${until}.${ID}`), record === null ? '' : JSON.stringify({ id: ID, ...record }));
    expect(isAbandoned(lock, occupantOf(lock), NOW)).toBe(abandoned);
  });

  test('M14: what is no owner\'s is nobody\'s to die', () => {
    expect(isAbandoned('nowhere', { kind: 'none' }, 0)).toBe(false);
    expect(isAbandoned('nowhere', empty(0), 0)).toBe(false);
  });
});

function setUp(info: Partial<HolderInfo> = {}, more: Partial<TrySettings> = {}) {
  const clock = new VirtualClock();
  const places = placesOf(join(temporaryDirectory(), 's'), undefined, 'make');
  const stuck: FileLease[] = [];
  const settings: TrySettings = {
    clock, leaseMs: LEASE_MS, renewMs: 3_000, ended: vi.fn(), passOn: vi.fn(() => false), loopDelayMs: () => 17,
    stuck: (lease) => stuck.push(lease), ...more,
  };
  const request: AcquireRequest = {
    session: places.session, owner: 'us', waitMs: 0, signal: new AbortController().signal,
    info: { attemptId: 'a', pid: 1, host: 'h', state: 'acquiring.waiting', note: 'n', labels: { l: 'v' }, ...info },
  };
  const tried = (id: string = ID, at: Places = places): FileLease | null => tryOnce(properLockfile, at, id, request, settings);
  const record = () => recordOf(places.lock, occupantOf(places.lock));
  return { clock, places, stuck, settings, request, tried, record };
}

describe('a try', () => {
  test('M22: a grant says who holds the lock, and in which state it will be read', async () => {
    const { clock, places, tried, record, settings } = setUp();
    const lease = tried();
    expect(record()).toEqual({
      ...processMark(), id: ID, session: places.session, owner: 'us', attemptId: 'a', since: clock.wallNow(), leaseMs: LEASE_MS,
      state: 'locked', note: 'n', labels: { l: 'v' }, supersedable: true,
    });
    expect([lease?.until, lease?.deadline, lease?.token, lease?.passed]).toEqual([clock.wallNow() + LEASE_MS, LEASE_MS, 0, 0]);
    expect([tried(randomUUID()), readdirSync(places.lock).length]).toEqual([null, 1]);
    expect([await lease?.release(), existsSync(places.lock)]).toEqual(['released', false]);
    expect(settings.ended).toHaveBeenCalledTimes(1);
  });

  test('M22: a later state is told as it is, with what the heart has measured', () => {
    const facts = { stateSince: 5 } as HolderInfo['facts'] & object;
    const { tried, record } = setUp({ state: 'running.working', supersedable: false, facts });
    void tried();
    expect(record()).toMatchObject({ state: 'running.working', supersedable: false, facts: { stateSince: 5, loopDelayMs: 17 } });
    void setUp().tried()?.release();
  });

  test('S7: a lock that is not ours any more is not held', async () => {
    const { places, tried } = setUp();
    const lease = tried();
    rmSync(places.lock, { recursive: true });
    expect(await lease?.release()).toBe('notHeld');
  });

  test('L3: what is dead is taken over, what is empty and old is populated, what lives is busy', () => {
    const over = setUp();
    mkdirSync(over.places.lock);
    const until = over.clock.wallNow() - LEASE_MS / 100 - 10;
    writeFileSync(join(over.places.lock, `owner.3.${until}.${randomUUID()}`), '');
    expect(over.tried(), 'at its end it is not dead yet').toBeNull();
    over.clock.wallNow = () => until + LEASE_MS / 100 + 11;
    expect(over.tried()?.token).toBe(0);

    const old = setUp();
    mkdirSync(old.places.lock);
    old.clock.wallNow = () => Date.now() + LEASE_MS + 1_000;
    expect(old.tried()?.token).toBe(0);

    const foreign = setUp();
    writeFileSync(foreign.places.lock, '');
    expect([foreign.tried(), foreign.stuck]).toEqual([null, []]);
  });

  test('M06: trouble is thrown as it comes, and nothing is stuck that was not taken', () => {
    const { places, tried, stuck } = setUp();
    writeFileSync(places.session, '');
    expect(() => tried(ID, { ...places, lock: join(places.session, 'x.lock') })).toThrow('ENOTDIR');
    expect(stuck).toEqual([]);
  });

  test.each([['now', 2_000, null], ['wallNow', 2_000, null], ['wallNow', -2_000, null], ['now', 1_400, 0], ['wallNow', -1_400, 0]] as const)(
    'S2: no lock after a standstill since the try began, by the clock that shows more: %s %i', (which, by, token) => {
      const { clock, tried, request, places } = setUp();
      const before = clock[which]();
      // What is told of it is asked for after the try has begun, and before the directory is made.
      Object.defineProperty(request.info, 'labels', { get: () => {
        clock[which] = () => before + by;
        return {};
      } });
      expect(tried()?.token ?? null).toBe(token);
      expect(existsSync(places.lock), 'not entered, it is left to age').toBe(true);
    });
});

describe('passed on', () => {
  function held() {
    const one = setUp();
    const lease = one.tried();
    if (!lease) throw new Error('not granted');
    lease.confirm(4);
    const to = (): FileLease | null => passOn(lease, 5, randomUUID(), { ...one.request, owner: 'next' }, one.settings, 3);
    return { ...one, lease, to };
  }

  test('L4 S3: the lock is another acquisition\'s, under its own token, with its own record and a lease anew', async () => {
    const { clock, lease, to, record, places } = held();
    writeFileSync(join(places.lock, 'staged.x'), '');
    await clock.advance(1_000);
    const next = to();
    expect([next?.token, next?.passed, next?.owner, next?.deadline]).toEqual([5, 3, 'next', 1_000 + LEASE_MS]);
    expect(next?.until).toBe(clock.wallNow() + LEASE_MS);
    expect(record()).toMatchObject({ owner: 'next', since: clock.wallNow() });
    expect(readdirSync(places.lock), 'S7: what was staged is gone').toHaveLength(1);
    expect(next?.hold).toBe(lease.hold);
    expect([await next?.release(), existsSync(places.lock)]).toEqual(['released', false]);
  });

  test('S7: what is gone is not passed on, and not held', async () => {
    const { places, lease, to } = held();
    rmSync(places.lock, { recursive: true });
    expect([to(), await lease.release()]).toEqual([null, 'notHeld']);
  });
});
