/**
 * A replica promoted while replication was down: what Redis forgets, how it is noticed, and what is not promised.
 */
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type Server } from '../../../src/bench/engine-servers.js';
import type { LockStore } from '../../../src/index.js';
import { redisLocks } from '../../../src/locks/redis/redis-locks.js';
import { redisSession } from '../../../src/locks/redis/redis-session.js';
import { Proxy } from '../../support/proxy.js';
import { describeWith } from '../../support/servers.js';
import { become } from '../fleets/bed.js';
import { asking, granted } from '../fleets/faults.js';

async function started(more: Readonly<Record<string, string>> = {}): Promise<Server> {
  const server = await startRedis({ more });
  if (!server) throw new Error('no redis-server');
  onTestFinished(() => server.remove());
  return server;
}

async function proxyTo(server: Server): Promise<Proxy> {
  const proxy = await new Proxy(server.socket).listen();
  onTestFinished(() => proxy.close());
  return proxy;
}

function clientOf(proxy: Proxy): Redis {
  const client = new Redis({ host: '127.0.0.1', port: proxy.port, retryStrategy: () => 30 });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** A master and its replica, in step; then the link between them goes down. */
async function pair() {
  const master = await started();
  const link = await proxyTo(master);
  const replica = await started({ replicaof: `127.0.0.1 ${link.port}` });
  const way = await proxyTo(master);
  const after = await proxyTo(replica);
  const [client, promoted] = [clientOf(way), clientOf(after)];
  await become('the replica follows', async () => (await promoted.info('replication')).includes('master_link_status:up'));
  return {
    way, client, promoted,
    async replicated() {
      await become('all is replicated', async () => {
        await client.set('mark', String(performance.now()));
        return await promoted.get('mark') === await client.get('mark');
      });
    },
    /** The link goes down; what follows on the master the replica never hears of. */
    part: () => link.break(),
    /** The replica is master now, and every connection leads to it. */
    async failOver() {
      await promoted.replicaof('NO', 'ONE');
      way.leadTo(replica.socket);
    },
  };
}

async function takeTurns(locks: LockStore, session: string, turns: number): Promise<number> {
  let token = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    const lease = await granted(locks, session, `owner ${turn} ${Math.random()}`);
    token = lease.token;
    expect(await lease.release()).toBe('released');
  }
  return token;
}

describeWith(['redis'], 'Redis after a failover that forgot the last grants', () => {
  test('S1: by itself the new master grants the same token again: the scope is until-failover, and says so', async () => {
    const { client, promoted, replicated, part, failOver } = await pair();
    const locks = redisLocks(client);
    expect(locks.capabilities).toMatchObject({ tokenScope: 'until-failover', fencedWrites: true });
    expect(await takeTurns(locks, 'key', 12)).toBe(12);
    await replicated();
    part();
    expect(await takeTurns(locks, 'key', 1)).toBe(13);
    await failOver();
    const elsewhere = redisLocks(promoted); // another process, with nothing to compare with
    expect((await granted(elsewhere, 'key', 'next')).token).toBe(13);
  });

  test('S1 S3 S4: a token that went backwards is raised above the records, or above what this process has seen', async () => {
    const { way, client, promoted, replicated, part, failOver } = await pair();
    const locks = redisLocks(client);
    await takeTurns(locks, 'written', 12);
    await takeTurns(locks, 'seen', 12);
    await replicated();
    part();
    await takeTurns(locks, 'written', 1);
    await takeTurns(locks, 'seen', 1);
    await failOver();

    const warned = once(process, 'warning') as Promise<[{ code?: string; message: string }]>;
    const elsewhere = redisLocks(promoted);
    const answer = await elsewhere.acquire({ ...asking('written', 'next'), tokenFloor: async () => 13 });
    expect(answer).toMatchObject({ status: 'granted', lease: { token: 14 } });
    const [{ code, message }] = await warned;
    expect([code, message]).toEqual(['ATTEMPT_TOKEN_WENT_BACK', expect.stringContaining('offered token 13, but 13 has been granted')]);

    await become('the client is back', () => way.connections > 0);
    expect(await takeTurns(locks, 'seen', 1)).toBe(14);
  });

  test('S1 S6 S14: where the records cannot be asked, or leave no token above them, the grant is given back', async () => {
    const locks = redisLocks(clientOf(await proxyTo(await started())));
    const floors = [() => Promise.reject(new Error('no disk')), async () => Number.MAX_SAFE_INTEGER];
    for (const [at, tokenFloor] of floors.entries()) {
      const answer = await locks.acquire({ ...asking('key', `owner ${at}`), tokenFloor });
      expect(answer.status).toBe('unknown');
      expect((await locks.query('key'))[0]?.holder).toBe(null);
    }
  });

  test('S4 S12: the holder the new master does not know of is told, and its writes are refused there', async () => {
    const { client, promoted, replicated, part, failOver } = await pair();
    const [locks, records] = [redisLocks(client, { leaseMs: 1_000 }), redisSession(client)];
    await takeTurns(locks, 'key', 2);
    await replicated();
    part();
    const zombie = await granted(locks, 'key', 'zombie');
    const scope = { tokenScope: 'until-failover', signal: new AbortController().signal } as const;
    const writer = await records.open({ session: 'key', lease: zombie, token: zombie.token, ...scope });
    await writer.append({ n: 1 });
    const notices: string[] = [];
    zombie.onNotice(({ type }) => notices.push(type));
    await failOver();
    const next = await granted(redisLocks(promoted), 'key', 'next');
    await expect(Promise.resolve(writer.append({ n: 2 }))).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await become('told', () => notices.includes('lost'));
    expect(await zombie.release()).toBe('notHeld');
    expect(await next.release()).toBe('released');
    expect((await redisSession(promoted).read('key')).records).toEqual([]); // what it acknowledged has been forgotten too
  });
});
