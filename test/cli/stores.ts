/** Both engines for a test file of the command, and the URLs it is given for them. */
import { afterAll, beforeAll } from 'vitest';
import { freePort, startPostgres, startRedis, type Server } from '../../src/bench/engine-servers.js';

/** Filled in when the servers have started. */
export function useStores(): { readonly postgres: string; readonly redis: string } {
  const servers: (Server | null)[] = [];
  const urls = { postgres: '', redis: '' };
  beforeAll(async () => {
    const [postgres, redis] = [await freePort(), await freePort()];
    servers.push(await startPostgres({ port: postgres }), await startRedis({ port: redis }));
    urls.postgres = `postgres://postgres@127.0.0.1:${postgres}/postgres`;
    urls.redis = `redis://127.0.0.1:${redis}`;
  });
  afterAll(() => Promise.all(servers.map((server) => server?.remove())));
  return urls;
}
