/**
 * Every single call of acquire, renew and release, taken as the place where something happens: the process dies, the
 * call fails, or the process is stopped for ages while others come and go. Exhaustive for one event in one run.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import properLockfile from 'proper-lockfile';
import { describe, expect, test, vi } from 'vitest';
import type { FileLease } from '../../../src/locks/file/file-lease.js';
import { parseName } from '../../../src/locks/file/owner-entry.js';
import { aside, failing, Killed, withSteps } from '../../support/fs-steps.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { AGES_MS, Contender, LEASE_MS, litterOf, SharedClock } from './tries.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<object>()));

/** How the session stands when the one under test comes to it. */
const SCENES = ['free', 'first ever', 'expired', 'aged empty', 'expired, with a staged file'] as const;
type Scene = typeof SCENES[number];

interface Stage {
  readonly clock: SharedClock;
  readonly us: Contender;
  readonly other: Contender;
  readonly session: string;
  readonly highestBefore: number;
}

function setUp(scene: Scene): Stage {
  const session = join(temporaryDirectory(), 'session.jsonl');
  const clock = new SharedClock();
  const [us, other, dead] = ['us', 'other', 'dead'].map((name) => new Contender(name, session, clock));
  if (!us || !other || !dead) throw new Error('never');
  let highestBefore = 0;
  if (scene !== 'first ever') {
    const first = dead.acquire();
    highestBefore = first?.token ?? 0;
    if (scene === 'free') void first?.release();
    if (scene === 'aged empty') {
      void first?.release();
      mkdirSync(dead.places.lock);
    }
    if (scene === 'expired, with a staged file') writeFileSync(first?.staging.path() ?? '', '');
    clock.aheadMs += AGES_MS;
  }
  return { clock, us, other, session, highestBefore };
}

const entriesOf = (lock: string): string[] => (existsSync(lock) ? readdirSync(lock) : []);

/** Runs `act` once for each of its calls, with `event` at that call. */
function atEachCall(scene: Scene, act: (stage: Stage) => unknown, event: (stage: Stage, at: number) => void): number {
  const dry = setUp(scene);
  const { calls } = withSteps(() => {}, () => act(dry));
  for (let at = 0; at < calls; at += 1) event(setUp(scene), at);
  return calls;
}

const acquireAndRelease = ({ us }: Stage): void => {
  const lease = us.acquire();
  lease?.beat();
  void lease?.release();
};

describe.each(SCENES)('%s', (scene) => {
  test('M15 L3: killed at any call, the next one gets the lock when the lease has ended, with a higher token', () => {
    const calls = atEachCall(scene, acquireAndRelease, (stage, at) => {
      const { us, other, clock } = stage;
      let granted: FileLease | null = null;
      let dead = false;
      withSteps((_name, index) => {
        dead ||= index === at;
        if (dead) throw new Killed();
      }, () => {
        granted = us.acquire();
        void granted?.release();
      });
      clock.aheadMs += LEASE_MS + 100; // its lease, what clocks may drift, and a directory that was made and not entered
      const next = other.acquire();
      expect(next, `killed at call ${at}: nobody can have the lock any more`).not.toBeNull();
      expect(next?.token).toBeGreaterThan(granted === null ? stage.highestBefore : (granted as FileLease).token);
      return expectReleasedClean(next, other, `killed at call ${at}`);
    });
    expect(calls).toBeGreaterThan(8);
  });

  test.each(['EIO', 'ENOSPC', 'EPERM'])('M06 S6 S14: %s at any call, and nothing stays', (code) => {
    atEachCall(scene, acquireAndRelease, (stage, at) => {
      const { us, other, clock } = stage;
      let failed = '';
      const run = withSteps((name, index) => {
        if (index !== at) return;
        failed = name;
        throw failing(code);
      }, () => us.acquire());
      const lease = run.result;
      if (run.error === null && lease === null) expect.fail(`${code} at call ${at} was told as "busy"`);
      for (const stuck of us.stuck) void stuck.release();
      void lease?.release();
      void lease?.release();
      // Only an empty directory that could not be removed, or the dead one, may stand in the way.
      const live = entriesOf(us.places.lock).filter((entry) => (parseName(entry)?.until ?? 0) > clock.wallNow());
      expect(live, `${code} at call ${at}`).toEqual([]);
      const emptyLeft = existsSync(us.places.lock) && entriesOf(us.places.lock).length === 0;
      const excused = scene === 'aged empty' || ['rmdirSync', 'lstatSync', 'rmSync'].includes(failed);
      expect(emptyLeft && !excused, `${code} at call ${at} (${failed}): our empty directory stays`).toBe(false);
      if (failed !== 'rmSync') expect(litterOf(us.places), `${code} at call ${at} (${failed})`).toEqual([]);
      clock.aheadMs += AGES_MS;
      expectReleasedClean(other.acquire(), other, `${code} at call ${at}`);
    });
  });

  test.each(['EIO', 'ENOENT'])('M06 S6: a release that meets %s at any call is answered in the end', (code) => {
    const dry = setUp(scene);
    const { calls } = withSteps(() => {}, () => dry.us.acquire()?.release());
    for (let at = 0; at < calls; at += 1) {
      const { us, other } = setUp(scene);
      const lease = us.acquire();
      withSteps((_name, index) => {
        if (index === at) throw failing(code);
      }, () => lease?.release());
      void lease?.release();
      if (code !== 'ENOENT') expectReleasedClean(other.acquire(), other, `${code} at call ${at} of the release`);
    }
  });

  test('M13 S2 S7: stopped for ages at any call while another one takes the lock: one holder, and it stays', () => {
    atEachCall(scene, acquireAndRelease, (stage, at) => {
      const { us, other, clock } = stage;
      let theirs: FileLease | null = null;
      let ours: FileLease | null = null;
      withSteps((_name, index) => {
        if (index !== at) return;
        clock.aheadMs += AGES_MS;
        theirs = aside(() => other.acquire());
      }, () => {
        ours = us.acquire();
        ours?.beat();
      });
      const holders = [ours, theirs].filter((lease) => lease !== null && stillHeld(lease));
      expect(holders.length, `stopped before call ${at}: ours ${ours}, theirs ${theirs}`).toBe(1);
      void (ours as FileLease | null)?.release();
      const left = theirs as FileLease | null;
      if (left && holders[0] === left) expect(stillHeld(left), `call ${at}: our release took theirs`).toBe(true);
      if (ours && left) expect((ours as FileLease).token).not.toBe(left.token);
    });
  });

  test('S2 S16: one whose clock is ages ahead takes the lock at any call: never two', () => {
    atEachCall(scene, acquireAndRelease, (stage, at) => {
      const { us, clock, session } = stage;
      const ahead = new SharedClock();
      ahead.aheadMs = clock.aheadMs + AGES_MS;
      const other = new Contender('ahead', session, ahead);
      let theirs: FileLease | null = null;
      let ours: FileLease | null = null;
      withSteps((_name, index) => {
        if (index === at) theirs = aside(() => other.acquire());
      }, () => { ours = us.acquire(); });
      const holders = [ours, theirs].filter((lease) => lease !== null && stillHeld(lease));
      expect(holders.length, `call ${at}: ours ${ours}, theirs ${theirs}`).toBeLessThan(2);
    });
  });

  test('S7: what a dead holder staged is gone when the next one is granted', () => {
    const { us } = setUp(scene);
    const lease = us.acquire();
    expect(entriesOf(us.places.lock).filter((entry) => entry.startsWith('staged.'))).toEqual([]);
    void lease?.release();
  });

  test('S7: stopped for ages at any call of a release while another one takes the lock', () => {
    const dry = setUp(scene);
    const lease = dry.us.acquire();
    const { calls } = withSteps(() => {}, () => lease?.release());
    for (let at = 0; at < calls; at += 1) {
      const { us, other, clock } = setUp(scene);
      const ours = us.acquire();
      let theirs: FileLease | null = null;
      withSteps((_name, index) => {
        if (index !== at) return;
        clock.aheadMs += AGES_MS;
        theirs = aside(() => other.acquire());
      }, () => ours?.release());
      expect(theirs, `before call ${at}`).not.toBeNull();
      expect(stillHeld(theirs as unknown as FileLease), `before call ${at}`).toBe(true);
    }
  });

  test('S2: stopped for ages while another one takes the lock, gives it back, and a plain user takes it', () => {
    // Between the last look at a dead empty directory and the rename onto it nothing can tell: the README names that gap.
    atEachCall(scene, acquireAndRelease, (stage, at) => {
      const { us, other, clock, session } = stage;
      let plain: (() => void) | null = null;
      let gap = false;
      // A plain user of our time: the file system's clock is not ahead, and whatever we do in there sets the time.
      const keepFresh = (): void => utimesSync(us.places.lock, clock.wallNow() / 1_000, clock.wallNow() / 1_000);
      const run = withSteps((name, index, args) => {
        if (index > at && plain) aside(keepFresh);
        if (index !== at) return;
        gap = name === 'renameSync' && args[1] === us.places.lock;
        clock.aheadMs += AGES_MS;
        aside(() => {
          const theirs = other.acquire();
          void theirs?.release();
          if (!theirs || existsSync(us.places.lock)) return;
          untilTimeMoves(session); // what really took ages bears another time
          plain = properLockfile.lockSync(session, { realpath: false, onCompromised: () => {} });
          keepFresh();
        });
      }, () => us.acquire());
      if (plain && !gap) expect(run.result, `call ${at}: we hold what a plain user holds`).toBeNull();
      if (plain) properLockfile.unlockSync(session, { realpath: false });
    });
  });
});

/** True if the lease can prove itself now. */
function stillHeld(lease: FileLease): boolean {
  return lease.staging.confirm() && lease.confirm(lease.token);
}

/** Gives a lease back; then nothing of anybody is left. */
function expectReleasedClean(lease: FileLease | null, contender: Contender, when: string): void {
  expect(lease, `${when}: not granted`).not.toBeNull();
  void lease?.release();
  expect(lstatSync(contender.places.lock, { throwIfNoEntry: false }), when).toBeUndefined();
  expect(litterOf(contender.places), when).toEqual([]);
}

/** Until a directory made now is told from one made before by its time: a tick of the file system's clock. */
function untilTimeMoves(session: string): void {
  const madeAt = (): number => {
    mkdirSync(`${session}.tick`);
    const { birthtimeMs } = lstatSync(`${session}.tick`);
    rmdirSync(`${session}.tick`);
    return birthtimeMs;
  };
  const first = madeAt();
  while (first !== 0 && madeAt() === first);
}
