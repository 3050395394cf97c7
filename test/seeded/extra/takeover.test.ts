/**
 * A grant that is alive is nobody else's to take: what `locks/file/every-call.test.ts` leaves open, since it asks
 * at the end only that one of the two holds the lock. The bugs are in `../bugs/file-locks.ts`.
 */
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { FileLease } from '../../../src/locks/file/file-lease.js';
import { AGES_MS, Contender, SharedClock } from '../../locks/file/tries.js';
import { aside, withSteps } from '../../support/fs-steps.js';
import { temporaryDirectory } from '../../support/temporary.js';

vi.mock('node:fs', async (original) => {
  const { stepped } = await import('../../support/fs-steps.js');
  return stepped(await original<object>());
});

interface Stage {
  readonly clock: SharedClock;
  readonly us: Contender;
  readonly other: Contender;
}

/** @param left a holder that died has left its lock behind */
function setUp(left: boolean): Stage {
  const session = join(temporaryDirectory(), 'session.jsonl');
  const clock = new SharedClock();
  const named = (name: string): Contender => new Contender(name, session, clock);
  if (left) {
    named('dead').acquire();
    clock.aheadMs += AGES_MS;
  }
  return { clock, us: named('us'), other: named('other') };
}

const acts: Record<string, (stage: Stage) => unknown> = {
  'takes the lock': ({ us }) => us.acquire(),
  'takes the lock and renews it': ({ us, clock }) => {
    const lease = us.acquire();
    clock.aheadMs += 1_000; // a renewal is due
    lease?.beat();
  },
  'takes the lock and gives it back': ({ us }) => us.acquire()?.release(),
};

describe.each([['a free lock', false], ['a dead holder\'s lock', true]])('%s', (_what, left) => {
  test.each(Object.entries(acts))('M13 S2 S7: one that %s, stopped for ages at any call, leaves a live grant alone', (_act, act) => {
    const { calls } = withSteps(() => {}, () => act(setUp(left)));
    let granted = 0;
    for (let at = 0; at < calls; at += 1) {
      const stage = setUp(left);
      let theirs = null as FileLease | null;
      withSteps((_name, index) => {
        if (index !== at) return;
        stage.clock.aheadMs += AGES_MS;
        theirs = aside(() => stage.other.acquire());
      }, () => act(stage));
      if (theirs === null) continue; // an empty directory of ours, too young to be taken for dead
      granted += 1;
      expect(theirs.staging.confirm(), `stopped before call ${at}: what was granted meanwhile is gone`).toBe(true);
      void theirs.release();
    }
    expect(granted, 'grants put to the test').toBeGreaterThan(8);
  });
});
