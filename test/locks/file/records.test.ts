/**
 * What is believed of what a process left behind: its owner record, its place in line, its end.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { processMark } from '../../../src/owner.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const OTHER_ID = '11234567-89ab-4cde-8f01-23456789abcd';
const HOUR_MS = 3_600_000;

function plant(session: string, until: number, record: object): void {
  mkdirSync(`${session}.lock`);
  const content = { id: ID, session, owner: 'dead', attemptId: 'a1', since: Date.now(), leaseMs: 10_000, state: 'running.working', labels: {} };
  writeFileSync(join(`${session}.lock`, `owner.3.${until}.${ID}`), JSON.stringify({ ...content, ...record }));
}

const DEAD = { ...processMark(), started: '1' };

describe('M14 S16: an end no lease can have, because the clock was set back', () => {
  test.each<[string, object, 'granted' | 'busy']>([
    ['of a process that is gone', DEAD, 'granted'],
    ['of another boot of this host', { ...DEAD, boot: 'another' }, 'granted'],
    ['of a process that lives', processMark(), 'busy'],
    ['of a process whose start is not known', { ...DEAD, started: null }, 'busy'],
    ['of another host', { ...DEAD, host: 'another', boot: 'another' }, 'busy'],
    ['of another pid namespace', { ...DEAD, pidNamespace: 'pid:[1]' }, 'busy'],
  ])('%s', async (_who, record, status) => {
    const session = newSession();
    plant(session, Date.now() + HOUR_MS, record);
    const answer = await ask(localFileLocks(), session, { floor: async () => 3 });
    expect(answer.status).toBe(status);
    if (answer.status === 'granted') await answer.lease.release();
  });

});

describe('M14 L3: a lease that has not ended', () => {
  const NOBODY = { ...processMark(), pid: 2 ** 22 + 1 }; // more than Linux ever gives
  test.each<[string, object, 'granted' | 'busy']>([
    ['of a process that is gone', NOBODY, 'granted'],
    ['of a process whose pid is another\'s by now', DEAD, 'granted'],
    ['of a pid alone', { pid: NOBODY.pid }, 'busy'],
    ['of a process whose start is not known', { ...NOBODY, started: null }, 'busy'],
    ['of a process of another boot, which the clock may not have passed', { ...NOBODY, boot: 'another' }, 'busy'],
    ['of a process of another host', { ...NOBODY, host: 'another' }, 'busy'],
    ['of a process of another pid namespace', { ...NOBODY, pidNamespace: 'pid:[1]' }, 'busy'],
    ['of a process group instead of a process', { ...NOBODY, pid: -1 }, 'busy'],
    ['of one that has not told who it is yet', { ...NOBODY, id: OTHER_ID }, 'busy'],
  ])('%s', async (_who, record, status) => {
    const session = newSession();
    plant(session, Date.now() + 8_000, record);
    const answer = await ask(localFileLocks(), session, { floor: async () => 3 });
    expect(answer.status).toBe(status);
    if (answer.status === 'granted') await answer.lease.release();
  });
});

test('S7 M15: a taker that died before it told who it is does not pass for its predecessor', async () => {
  const session = newSession();
  plant(session, Date.now() + 8_000, { id: OTHER_ID });
  const locks = localFileLocks();
  expect(await locks.releaseOwner(session, 'dead')).toBe('notHeld');
  const [status] = await locks.query(session);
  expect(status?.holder).toMatchObject({ attemptId: null, owner: null, pid: null, token: 3 });
});

test('L5: waiters of another boot, and ones nobody can tell about after a day, are not believed and go', async () => {
  const session = newSession();
  const room = `${session}.attempt`;
  mkdirSync(room);
  const names = { gone: DEAD, rebooted: { ...DEAD, boot: 'another' }, old: { ...DEAD, host: 'another' }, young: { ...DEAD, host: 'another' } };
  Object.entries(names).forEach(([who, mark], index) => {
    const since = Date.now() - (who === 'old' ? 25 * HOUR_MS : HOUR_MS);
    const name = `wait.${since}.${index}1234567-89ab-4cde-8f01-23456789abcd`;
    writeFileSync(join(room, name), JSON.stringify({ ...mark, since, waiting: [{ attemptId: who, since }] }));
  });
  const locks = localFileLocks();
  const waiters = async () => (await locks.query(session))[0]?.waiting.map(({ attemptId }) => attemptId);
  expect(await waiters()).toEqual(['young']);
  const lease = await granted(locks, session);
  await ask(locks, session, { waitMs: 1 });
  await lease.release();
  expect(readdirSync(room).filter((name) => name.startsWith('wait.'))).toHaveLength(1);
});

test('M22: a holder whose words change is always read whole', async () => {
  const session = newSession();
  const locks = localFileLocks();
  const info = { attemptId: 'a', pid: 1, host: 'h', state: 'running.working', note: '', labels: {} };
  const answer = await locks.acquire({ session, owner: 'o', waitMs: 0, signal: new AbortController().signal, info });
  if (answer.status !== 'granted') return expect.fail('not granted');
  // From long to short and back: what is shown must be one of them.
  for (const note of ['x'.repeat(500), 'y', 'z'.repeat(200)]) {
    info.note = note;
    const told = async () => (await localFileLocks().query(session))[0]?.holder?.note;
    for (let seen = await told(); seen !== note; seen = await told()) {
      expect(seen, 'never torn').not.toBeNull();
      await new Promise(setImmediate);
    }
  }
  await answer.lease.release();
});
