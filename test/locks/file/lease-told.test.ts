/**
 * What a file lease tells others, what it hears of them, and what is rewritten under it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastReports } from '../../../src/locks/file/last-reports.js';
import type { LeaseNotice } from '../../../src/locks/lock-store.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { RENEW_MS, setUp, type Facts } from './one-lease.js';

describe('told to others', () => {
  test('M22: a changed state or note with the next beat, and not again', async () => {
    const { info, retell, beatIn } = setUp();
    await beatIn(1);
    expect(retell).not.toHaveBeenCalled();
    info.state = 'aborting.user';
    await beatIn(1);
    await beatIn(1);
    expect(retell).toHaveBeenCalledTimes(1);
    info.note = 'halfway';
    await beatIn(1);
    await beatIn(1);
    expect(retell).toHaveBeenCalledTimes(2);
  });

  test('M22: what could not be told is told with the next beat', async () => {
    const { info, retell, beatIn } = setUp();
    info.state = 'cleaning';
    retell.mockReturnValueOnce(false);
    await beatIn(1);
    await beatIn(1);
    await beatIn(1);
    expect(retell).toHaveBeenCalledTimes(2);
  });

  test('M22: changed facts with a renewal; and all is told again with every tenth', async () => {
    const { facts, retell, beatIn } = setUp();
    facts.current = { progressAt: 1, unsettled: 0, loopDelayMs: 5 } as unknown as Facts;
    await beatIn(1);
    expect(retell).not.toHaveBeenCalled();
    await beatIn(RENEW_MS);
    expect(retell).toHaveBeenCalledTimes(1);
    for (const changed of [{ progressAt: 2 }, { unsettled: 3 }, { loopDelayMs: 6 }]) {
      retell.mockClear();
      facts.current = { ...facts.current, ...changed } as unknown as Facts;
      await beatIn(RENEW_MS);
      await beatIn(RENEW_MS);
      expect(retell, JSON.stringify(changed)).toHaveBeenCalledTimes(1);
    }
    retell.mockClear();
    await beatIn(RENEW_MS);
    await beatIn(RENEW_MS);
    expect(retell, 'the ninth').not.toHaveBeenCalled();
    await beatIn(RENEW_MS);
    expect(retell, 'the tenth').toHaveBeenCalledTimes(1);
    await beatIn(RENEW_MS);
    expect(retell).toHaveBeenCalledTimes(1);
  });

  test('M22: a beat between renewals counts for nothing', async () => {
    const { retell, info, beatIn } = setUp();
    await beatIn(RENEW_MS);
    retell.mockClear();
    for (let n = 0; n < 9; n += 1) {
      info.note = `${n}`;
      await beatIn(1);
    }
    expect(retell).toHaveBeenCalledTimes(9);
    await beatIn(RENEW_MS);
    expect(retell, 'the second renewal').toHaveBeenCalledTimes(9);
  });
});

describe('asked to end', () => {
  const superseded: LeaseNotice = { type: 'superseded', by: 'x' };
  const stopped: LeaseNotice = { type: 'stopped', by: 'x', reason: null };

  test('M19: the holder is told, and who refuses is not, but by a user', () => {
    const { lease, heard } = setUp();
    expect([lease.hear(superseded), lease.hear(stopped), heard]).toEqual([true, true, [superseded, stopped]]);
    const refuses = setUp({ info: { supersedable: false } });
    expect([refuses.lease.hear(superseded), refuses.lease.hear(stopped), refuses.heard]).toEqual([false, true, [stopped]]);
  });

  test('M19: not any more when it is over', async () => {
    const { lease, heard } = setUp();
    await lease.release();
    expect([lease.hear(stopped), heard]).toEqual([false, []]);
  });

  test('L6: hears from its first beat on what lies in its room, once more at its release, and then nothing', async () => {
    const { lease, heard, room, beatIn } = setUp();
    mkdirSync(room);
    const plant = (as: string): void => writeFileSync(join(room, `ask.7.${as}.${randomUUID()}`), '{"by":"x"}');
    plant('user');
    expect(heard).toEqual([]);
    await beatIn(1);
    expect(heard).toEqual([stopped]);
    plant('superseded');
    await lease.release();
    expect(heard).toEqual([stopped, superseded]);
  });

  test('L6: a lease that is lost does not listen any more', () => {
    const { lease, heard, room } = setUp();
    mkdirSync(room);
    lease.beat();
    lease.takenByForce('taken');
    writeFileSync(join(room, `ask.7.user.${randomUUID()}`), '{"by":"x"}');
    lease.beat();
    void lease.release();
    expect(heard.map(({ type }) => type)).toEqual(['lost']);
  });
});

describe('a rewrite under it', () => {
  test('S7: is staged in the lock, under a name of its own, and put in place only while it is held and there', async () => {
    const home = temporaryDirectory();
    const lock = join(home, 's.lock');
    mkdirSync(lock);
    const { lease, disk } = setUp({ places: { session: join(home, 's'), lock } });
    expect(lease.staging.path()).toBe(join(lock, `staged.id.${process.pid}`));
    expect(lease.staging.confirm()).toBe(true);
    disk.there = false;
    expect(lease.staging.confirm()).toBe(false);
    disk.there = true;
    await lease.release();
    expect(lease.staging.confirm()).toBe(false);
  });

  test('S7: is refused where the lock lies on another file system: nothing could be renamed from there', (context) => {
    const home = temporaryDirectory();
    const lock = ['/dev/shm', '/run'].find((path) => existsSync(path) && lstatSync(path).dev !== lstatSync(home).dev);
    if (lock === undefined) return context.skip('SKIPPED LOUDLY: no second file system here');
    const { lease } = setUp({ places: { session: join(home, 's'), lock } });
    expect(() => lease.staging.path()).toThrow(expect.objectContaining({ code: 'REPLACE_UNSUPPORTED' }) as Error);
  });

  test('its report is kept in the room', () => {
    const { lease, room } = setUp();
    mkdirSync(room);
    lease.keepReport({
      token: 7, attemptId: 'one', pid: 1, host: 'h', outcome: 'completed', abortedBy: null, timeoutKind: null, lateAborts: [],
      lease: 'released', settled: true, abandoned: false, fencing: 'none', endedAt: 1, labels: {}, error: null, path: [],
      timings: { waitedMs: 0, heldMs: 1, ranMs: 1, abortToReleaseMs: null },
    });
    expect(lastReports(room).reports).toMatchObject([{ token: 7, attemptId: 'one' }]);
  });
});
