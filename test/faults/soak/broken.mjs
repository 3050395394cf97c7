// Real stores with one fault each, to see that whoever judges their history notices.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileRecords, localFileLocks } from '../../../dist/src/index.js';

/** The store, but what it grants is changed. */
const granting = (store, change) => ({
  capabilities: store.capabilities,
  acquire: async (request) => {
    const answer = await store.acquire(request);
    return answer.status === 'granted' ? { ...answer, lease: over(answer.lease, change(answer.lease)) } : answer;
  },
  releaseOwner: (session, owner) => store.releaseOwner(session, owner),
  query: (session) => store.query(session),
  forceRelease: (session, proof) => store.forceRelease(session, proof),
});

/** @returns the object with some things of it in another's place */
const over = (object, others) => new Proxy(object, {
  get(target, key) {
    if (key in others) return others[key];
    const value = Reflect.get(target, key, target);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});

/** Its lease never ends in its holder's eyes, whoever else has it. */
const deaf = (leaseMs) => granting(localFileLocks({ leaseMs }), () => ({ deadline: Infinity, onNotice: () => () => {} }));

/** Lines with the token, and no look at what is there: what `fileRecords` would refuse is written. */
const blindRecords = {
  tokenFloor: (session) => fileRecords().tokenFloor(session),
  open: ({ session, token }) => ({
    fencing: 'stamped', close() {},
    append: (record) => appendFileSync(session, `${JSON.stringify({ $attempt: token, ...record })}\n`),
  }),
};

export const BROKEN = {
  /** Each process has locks of its own: as many hold at once as there are processes. */
  'grants two': ({ directory, leaseMs }) => ({
    store: localFileLocks({ leaseMs, directory: join(directory, `locks.${process.pid}`) }), records: fileRecords(),
  }),
  /** Every number twice. */
  'repeats a token': ({ leaseMs }) => ({
    store: granting(localFileLocks({ leaseMs }), ({ token }) => ({ token: Math.ceil(token / 2) })), records: blindRecords,
  }),
  'never tells of an end': ({ leaseMs }) => ({ store: deaf(leaseMs), records: fileRecords() }),
  /** A zombie's records are acknowledged, and no reader ever sees them. */
  'lets a zombie write': ({ leaseMs }) => ({ store: deaf(leaseMs), records: blindRecords }),
};

/** Which invariant each of them breaks. */
export const BREAKS = { 'grants two': 'S2', 'repeats a token': 'S1', 'never tells of an end': 'S2', 'lets a zombie write': 'S15' };
