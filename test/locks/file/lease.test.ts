/**
 * A file lease from its grant to its end, beat by beat: when it is renewed, in doubt, lost or given back.
 */
import { describe, expect, test, vi } from 'vitest';
import { LEASE_MS, RENEW_MS, setUp } from './one-lease.js';

describe('renewed', () => {
  test('L3: when it is time and not before, and by the hold\'s end on the wall clock', async () => {
    const { clock, lease, renew, beatIn } = setUp();
    expect([lease.deadline, lease.token, lease.owner, lease.session, lease.passed, lease.until]).toEqual([LEASE_MS, 7, 'o', '/s', 3, 1]);
    await beatIn(RENEW_MS - 1);
    expect(renew).not.toHaveBeenCalled();
    await beatIn(1);
    expect([renew.mock.calls, lease.deadline]).toEqual([[[clock.wallNow() + LEASE_MS, undefined]], RENEW_MS + LEASE_MS]);
    await beatIn(RENEW_MS - 1);
    expect(renew).toHaveBeenCalledTimes(1);
    expect([lease.confirm(9), renew.mock.calls[1]]).toEqual([true, [clock.wallNow() + LEASE_MS, 9]]);
    await beatIn(RENEW_MS - 1);
    expect(renew, 'counted from then').toHaveBeenCalledTimes(2);
  });

  test('S16: its end is counted from before the disk was asked, not from when it answered', async () => {
    const { clock, lease, renew } = setUp();
    let asked = 0;
    renew.mockImplementation(() => {
      asked = clock.now();
      clock.now = () => asked + 500;
      return true;
    });
    lease.confirm(1);
    expect(lease.deadline).toBe(asked + LEASE_MS);
  });

  test('S12: a hold that is gone is lost: told why, over at once, and nothing more is done to it', async () => {
    const { disk, lease, ended, heard, unlock, renew, beatIn } = setUp();
    const over = vi.fn();
    lease.onEnd(over);
    disk.there = false;
    await beatIn(RENEW_MS);
    expect(heard).toEqual([{ type: 'lost', reason: expect.stringMatching(/^\/s\.lock: .*taken/) as string }]);
    expect([lease.deadline, ended.mock.calls, over.mock.calls.length, unlock.mock.calls.length]).toEqual([-Infinity, [[lease]], 1, 1]);
    await beatIn(RENEW_MS);
    expect([renew.mock.calls.length, lease.confirm(8), await lease.release(), unlock.mock.calls.length]).toEqual([1, false, 'notHeld', 1]);
    const late = vi.fn();
    lease.onEnd(late);
    expect([late.mock.calls.length, heard.length, lease.staging.confirm()]).toEqual([1, 1, false]);
    lease.takenByForce('too late');
    expect(heard).toHaveLength(1);
  });
});

describe('in trouble', () => {
  const trouble = Object.assign(new Error('broken'), { code: 'EIO' });

  test('M12 S14: a renewal that fails is asked again at each beat; past the deadline it is doubt, told once', async () => {
    const { disk, lease, heard, renew, beatIn } = setUp();
    disk.trouble = trouble;
    await beatIn(RENEW_MS);
    await beatIn(LEASE_MS - RENEW_MS - 1);
    expect([heard, renew.mock.calls.length]).toEqual([[], 2]);
    await beatIn(1);
    await beatIn(1);
    expect([heard, renew.mock.calls.length, lease.deadline]).toEqual([[{ type: 'inDoubt' }], 4, LEASE_MS]);
    disk.trouble = null;
    await beatIn(1);
    expect([heard.length, lease.deadline]).toEqual([1, LEASE_MS + 2 + LEASE_MS]);
    disk.trouble = trouble;
    await beatIn(LEASE_MS);
    expect(heard, 'another doubt').toEqual([{ type: 'inDoubt' }, { type: 'inDoubt' }]);
  });

  test('S7: who gives it back on hearing of the doubt hears of no loss, and nothing is renewed', async () => {
    const { renew, lease, heard, beatIn } = setUp();
    const answers: unknown[] = [];
    lease.onNotice(() => void lease.release().then((answer) => answers.push(answer)));
    await beatIn(LEASE_MS);
    expect([heard, answers, renew.mock.calls.length]).toEqual([[{ type: 'inDoubt' }], ['released'], 0]);
  });

  test.each<[string, Error]>([
    ['EIO', trouble], ['Error: no code', new Error('no code')],
  ])('M12: a lease after its end it is lost, and why is said: %s', async (said, error) => {
    const { disk, heard, ended, beatIn } = setUp();
    disk.trouble = error;
    await beatIn(2 * LEASE_MS - 1);
    expect([heard, ended.mock.calls.length]).toEqual([[{ type: 'inDoubt' }], 0]);
    await beatIn(1);
    expect(heard[1]).toEqual({ type: 'lost', reason: expect.stringContaining(said) as string });
    expect(ended).toHaveBeenCalledTimes(1);
  });

  test('M11: what the machine slept counts: doubt as soon as it wakes, and revived in the same beat', async () => {
    const { clock, lease, heard, beatIn } = setUp();
    await beatIn(1_000);
    clock.standStill('asleep');
    await clock.advance(60_000);
    clock.goOn();
    lease.beat();
    expect([heard, lease.deadline]).toEqual([[{ type: 'inDoubt' }], 1_000 + LEASE_MS]);
    await beatIn(1);
    expect(heard).toHaveLength(1);
  });

  test('M06 S14: a release without an answer is unknown, asked again on our own side, and told truly then', async () => {
    const { disk, lease, ended, unlock, remove, heard, beatIn } = setUp();
    disk.trouble = trouble;
    expect([await lease.release(), await lease.release()]).toEqual(['unknown', 'unknown']);
    expect([unlock.mock.calls.length, remove.mock.calls.length, ended.mock.calls.length]).toEqual([1, 1, 0]);
    await beatIn(LEASE_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await beatIn(1);
    expect([ended.mock.calls.length, heard]).toEqual([1, []]);
    expect(await lease.release(), 'its end has come, and it still lies there').toBe('unknown');
    disk.trouble = null;
    expect([await lease.release(), await lease.release()]).toEqual(['released', 'notHeld']);
    expect([unlock.mock.calls.length, ended.mock.calls.length]).toEqual([1, 1]);
  });

  test('S13: while it is being given back it is not renewed, does not listen, and is not lost', async () => {
    const { disk, lease, renew, heard, beatIn } = setUp();
    disk.trouble = trouble;
    await lease.release();
    disk.trouble = null;
    expect(lease.confirm(8), 'though its file is there').toBe(false);
    disk.there = false;
    await beatIn(RENEW_MS);
    lease.takenByForce('somebody');
    expect([renew.mock.calls.length, heard, lease.confirm(8), lease.hear({ type: 'stopped', by: 'x', reason: null })]).toEqual([0, [], false, false]);
    expect(await lease.release()).toBe('notHeld');
  });

  test('S12: lost by force while the disk is in trouble: over all the same', async () => {
    const { disk, lease, heard, ended, unlock, remove } = setUp();
    disk.trouble = trouble;
    lease.takenByForce('taken by force');
    expect(heard).toEqual([{ type: 'lost', reason: '/s.lock: taken by force' }]);
    disk.trouble = null;
    expect([await lease.release(), remove.mock.calls.length], 'nothing is asked of it any more').toEqual(['notHeld', 0]);
    expect([ended.mock.calls.length, unlock.mock.calls.length, lease.deadline]).toEqual([1, 1, -Infinity]);
  });
});

describe('given back', () => {
  test('S7: once; what was not ours any more is not held', async () => {
    const { lease, unlock, remove, passOn, ended } = setUp();
    const over = vi.fn();
    lease.onEnd(over);
    expect(over).not.toHaveBeenCalled();
    expect([await lease.release(), await lease.release()]).toEqual(['released', 'notHeld']);
    expect([unlock, remove, passOn, ended, over].map((fn) => fn.mock.calls.length)).toEqual([1, 0, 1, 1, 1]);
    const gone = setUp();
    gone.disk.there = false;
    expect([await gone.lease.release(), gone.ended.mock.calls.length]).toEqual(['notHeld', 1]);
  });

  test('L4: passed on to the next in this process instead: then nothing is removed', async () => {
    const { lease, unlock, remove, ended } = setUp({ passOn: () => true });
    expect([await lease.release(), await lease.release()]).toEqual(['released', 'notHeld']);
    expect([unlock.mock.calls.length, remove.mock.calls.length, ended.mock.calls.length]).toEqual([0, 0, 1]);
  });

  test('M06: passing on that fails is no reason to keep it', async () => {
    const { lease, unlock } = setUp({ passOn: () => { throw new Error('no token'); } });
    expect([await lease.release(), unlock.mock.calls.length]).toEqual(['released', 1]);
  });

  test('S14: what could not be removed is not passed on later', async () => {
    const { lease, disk, passOn, remove } = setUp();
    disk.trouble = new Error('broken');
    await lease.release();
    disk.trouble = null;
    expect([await lease.release(), passOn.mock.calls.length, remove.mock.calls.length]).toEqual(['released', 1, 1]);
  });
});
