/**
 * The part of the contract that is about whose lock it is: giving back, tombstones, force, and what is told.
 */
import type { LeaseNotice } from '../locks/lock-store.js';
import type { LockStoreCase } from './lock-store-contract.js';
import { demand, eventually } from './store-under-test.js';

export const ownershipCases: readonly LockStoreCase[] = [
  {
    title: 'a second release says so and does not touch the successor',
    invariants: ['S7', 'M13'],
    async run(asker) {
      const { lease } = await asker.granted('first');
      demand(await lease.release() === 'released', 'released', 'another answer');
      const { lease: next } = await asker.granted('second');
      const again = await lease.release();
      demand(again === 'notHeld', 'notHeld', again);
      await asker.expectHeld('after the first holder\'s second release');
      const answer = await next.release();
      demand(answer === 'released', 'released', answer);
    },
  },
  {
    title: 'releaseOwner gives back what the owner holds',
    invariants: ['S6', 'S7'],
    async run(asker) {
      const { lease } = await asker.granted('owner');
      const other = await asker.releaseOwner('somebody else');
      demand(other === 'notHeld', 'notHeld', other);
      await asker.expectHeld('after another owner was released');
      const answer = await asker.releaseOwner('owner');
      demand(answer === 'released', 'released', answer);
      const again = await lease.release();
      demand(again === 'notHeld', 'notHeld', again);
      await asker.expectFree();
    },
  },
  {
    title: 'releaseOwner is a tombstone: no grant to that owner afterwards',
    invariants: ['S11', 'M02'],
    async run(asker) {
      const answer = await asker.releaseOwner('buried');
      demand(answer === 'notHeld', 'notHeld', answer);
      const late = await asker.ask('buried');
      demand(late.status !== 'granted', 'no grant to a buried owner', late.status);
      await asker.expectFree();
    },
  },
  {
    title: 'releaseOwner during the waiting: no grant when the lock is given back',
    invariants: ['S11', 'M02'],
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const leaves = new AbortController();
      const waiting = asker.ask('buried', { waitMs: Infinity, signal: leaves.signal });
      await eventually('one waiting', async () => (await asker.waiting()) === 1);
      const answer = await asker.releaseOwner('buried');
      demand(answer !== 'released', 'notHeld or unknown', answer);
      await lease.release();
      // A store may find out when the turn comes, or when the signal of that request fires.
      for (let tick = 0; tick < 100 && !asker.answered('buried'); tick += 1) await new Promise(setImmediate);
      leaves.abort();
      const late = await waiting.catch(() => ({ status: 'unknown' }));
      demand(late.status !== 'granted', 'no grant to a buried owner', late.status);
      await asker.expectFree();
    },
  },
  {
    title: 'query without a session: what is held or awaited here, and nothing else',
    invariants: ['S6', 'L5'],
    async run(asker) {
      demand((await asker.store.query()).length === 0, 'nothing', await asker.store.query());
      const { lease } = await asker.granted('holder');
      const waiting = asker.ask('waiter', { waitMs: Infinity });
      await eventually('one waiting', async () => (await asker.waiting()) === 1);
      const [status, ...more] = await asker.store.query();
      demand(status !== undefined && more.length === 0, 'one session', more);
      demand(status.holder?.attemptId === 'holder', 'the holder', status.holder);
      demand(status.waiting[0]?.attemptId === 'waiter', 'the waiter', status.waiting);
      await lease.release();
      const granted = await waiting;
      if (granted.status === 'granted') await granted.lease.release();
      demand((await asker.store.query()).length === 0, 'nothing', await asker.store.query());
      const [free] = await asker.store.query(asker.session);
      demand(free?.holder === null && free.waiting.length === 0, 'a free session', free);
    },
  },
  {
    title: 'forceRelease needs the holder\'s token',
    invariants: ['S7', 'M19'],
    async run(asker) {
      const { lease } = await asker.granted('holder');
      for (const token of [lease.token + 1, lease.token - 1, -1]) {
        const answer = await asker.store.forceRelease(asker.session, { token });
        demand(answer !== 'released', `token ${token} to be refused`, answer);
      }
      await asker.expectHeld('after wrong tokens');
      const answer = await lease.release();
      demand(answer === 'released', 'released', answer);
    },
  },
  {
    title: 'forceRelease tells the holder, also one that listens late, and the successor stays',
    invariants: ['S7', 'S12', 'M13'],
    needsTokens: true,
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const early: LeaseNotice[] = [];
      const late: LeaseNotice[] = [];
      const silent: LeaseNotice[] = [];
      lease.onNotice((notice) => early.push(notice));
      lease.onNotice((notice) => silent.push(notice))();
      lease.onNotice(() => { throw new Error('a listener that throws'); });
      const answer = await asker.store.forceRelease(asker.session, { token: lease.token });
      demand(answer === 'released', 'released', answer);
      const { lease: next } = await asker.granted('successor');
      demand(next.token > lease.token, `a token above ${lease.token}`, next.token);
      await eventually('the holder is told', async () => early.some(({ type }) => type === 'lost'));
      lease.onNotice((notice) => late.push(notice));
      demand(late.some(({ type }) => type === 'lost'), 'the loss told again to a late listener', late);
      demand(silent.length === 0, 'nothing told to who stopped listening', silent);
      demand(lease.deadline < performance.now(), 'a lost lease to have no deadline ahead', lease.deadline);
      const again = await lease.release();
      demand(again === 'notHeld', 'notHeld', again);
      await asker.expectHeld('after the loser\'s release');
      await next.release();
    },
  },
  {
    title: 'a lease has an end ahead of it, and none after it was given back',
    invariants: ['S10', 'S13'],
    needsTokens: true,
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const { leaseMs } = asker.store.capabilities;
      const ahead = lease.deadline - performance.now();
      demand(ahead > 0 && ahead <= leaseMs + 1, `an end within ${leaseMs} ms`, ahead);
      await lease.release();
      const notices: LeaseNotice[] = [];
      lease.onNotice((notice) => notices.push(notice));
      demand(notices.length === 0, 'no notice about a lease that was given back', notices);
      demand(lease.deadline < performance.now(), 'no end ahead', lease.deadline);
    },
  },
];
