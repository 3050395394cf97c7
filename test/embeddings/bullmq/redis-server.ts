/**
 * A Redis of the test's own: started from this machine's binary on a free loopback port, gone with the test file. Where
 * there is no binary its tests are skipped, loudly; where `ATTEMPT_REQUIRE` names it (`ATTEMPT_REQUIRE=redis`), that is a
 * failure.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe } from 'vitest';

const PROGRAM = (process.env['PATH'] ?? '').split(delimiter).flatMap((place) =>
  ['redis-server', 'valkey-server'].map((name) => join(place, name))).find((path) => existsSync(path));

/** Somebody may take a port between our look and our server: then with another one. */
const MOST_TRIES = 10;

/** `describe`, where this machine has a Redis. */
export function describeWithRedis(title: string, body: () => void): void {
  if (PROGRAM) return void describe(title, body);
  const required = (process.env['ATTEMPT_REQUIRE'] ?? '').split(',').includes('redis');
  if (required) throw new Error(`ATTEMPT_REQUIRE: redis must be installed to run: ${title}`);
  console.warn(`SKIPPED: ${title}: redis not installed`);
  describe.skip(title, body);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill('SIGKILL'); // it keeps nothing
  await ended;
};

/** Starts a server and waits until it says that it accepts connections. Null: it ended instead. */
function start(program: string, directory: string, port: number): Promise<ChildProcess | null> {
  const settings = { port: String(port), bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' };
  const child = spawn(program, Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]), {
    cwd: directory, stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve) => {
    child.once('exit', () => resolve(null));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve(child);
    });
  });
}

/** @returns where the Redis of this file listens, once it has started */
export function useRedis(): () => { readonly host: string; readonly port: number } {
  let server: ChildProcess | null = null;
  let where = { host: '127.0.0.1', port: 0 };
  const directory = mkdtempSync(join(tmpdir(), 'attempt-redis-'));
  beforeAll(async () => {
    for (let left = MOST_TRIES; left > 0 && !server; left -= 1) {
      where = { host: '127.0.0.1', port: await freePort() };
      server = await start(PROGRAM ?? '', directory, where.port);
    }
    if (!server) throw new Error(`${PROGRAM} did not start`);
  });
  afterAll(async () => {
    if (server) await end(server);
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
  });
  return () => where;
}
