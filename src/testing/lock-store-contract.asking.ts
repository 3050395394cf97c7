/**
 * The part of the contract that is about asking a holder to end: who hears it, who refuses, and that nobody else does.
 */
import type { AskToEnd, Holder, Lease, LeaseNotice } from '../locks/lock-store.js';
import type { LockStoreCase } from './lock-store-contract.js';
import { demand, eventually, type Asker } from './store-under-test.js';

/** Nobody withdraws these. */
const { signal } = new AbortController();
const superseded: AskToEnd = { as: 'superseded', by: 'the next', signal };
const stopped: AskToEnd = { as: 'user', by: 'somebody', reason: 'enough', signal };

function listen(lease: Lease): LeaseNotice[] {
  const heard: LeaseNotice[] = [];
  lease.onNotice((notice) => heard.push(notice));
  return heard;
}

async function askOf(asker: Asker, whom: Holder, ask: AskToEnd, expected: readonly string[]): Promise<void> {
  const answer = await asker.store.askHolder?.(asker.session, whom, ask);
  demand(expected.includes(answer ?? ''), expected.join(' or '), answer);
}

export const askingCases: readonly LockStoreCase[] = [
  {
    title: 'askHolder tells the very grant that is meant, also one that listens late, and never the next',
    invariants: ['M19', 'S7'],
    needsAsking: true,
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const whom = await asker.holder();
      const early = listen(lease);
      const stranger = { ...whom, token: (whom.token ?? 0) + 1, owner: 'nobody' };
      await askOf(asker, stranger, superseded, ['notHeld', 'unknown']);
      await askOf(asker, whom, superseded, ['asked']);
      await askOf(asker, whom, stopped, ['asked']);
      await eventually('both asks are told', async () => early.length >= 2);
      const late = listen(lease);
      for (const heard of [early, late]) {
        const [next, stop, ...more] = heard;
        demand(next?.type === 'superseded' && next.by === 'the next', 'superseded by the next', heard);
        demand(stop?.type === 'stopped' && stop.reason === 'enough' && more.length === 0, 'then stopped: enough', heard);
      }
      await asker.expectHeld('after it was asked to end: an ask takes nothing');
      await lease.release();
      const { lease: next } = await asker.granted('successor');
      const heard = listen(next);
      await askOf(asker, whom, stopped, ['notHeld', 'unknown']);
      demand(heard.length === 0, 'nothing told to the successor', heard);
      await asker.expectHeld('by the successor');
    },
  },
  {
    title: 'askHolder is refused by who is not supersedable, says so, and a user is not refused',
    invariants: ['M19'],
    needsAsking: true,
    async run(asker) {
      const { lease } = await asker.granted('firm', { supersedable: false });
      const heard = listen(lease);
      const busy = await asker.ask('other');
      demand(busy.status === 'busy' && busy.holder?.supersedable === false, 'busy, and holder.supersedable false', busy);
      const whom = await asker.holder();
      await askOf(asker, whom, superseded, ['refused']);
      demand(heard.length === 0, 'nothing told to who refuses', heard);
      await askOf(asker, whom, stopped, ['asked']);
      await eventually('the user is heard', async () => heard.some(({ type }) => type === 'stopped'));
      await lease.release();
    },
  },
];
