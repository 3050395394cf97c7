/**
 * PostgreSQL, Redis and PgBouncer from this machine's own binaries, in a directory of their own, for as long as they
 * are needed. For the benchmark and the tests. They listen on a socket file, and on a loopback port only where asked.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Nothing here takes this long, milliseconds. */
const MOST_MS = 30_000;

/** Where a program is found: the PATH, and where Debian puts servers. */
export function programOf(name: string): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...versions.map((one) => join(debian, one, 'bin')), '/usr/sbin'];
  return places.map((place) => join(place, name)).find((path) => existsSync(path)) ?? null;
}

/** Whom to run a server as: ourselves, but for root, which PostgreSQL and PgBouncer refuse. */
function unprivileged(): { uid: number; gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((one) => /^(postgres|nobody):/.test(one));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** Servers that run. A process that ends without having stopped them (a run that was broken off) leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A server process that can be killed, stopped and started again on what it kept. */
export class Server {
  /** For clients: the socket file, as a path. */
  readonly socket: string;
  readonly #directory: string;
  readonly #argv: readonly string[];
  readonly #ready: (socket: string) => Promise<boolean>;
  #process: ChildProcess | null = null;
  #said = '';

  constructor(directory: string, socket: string, argv: readonly string[], ready: (socket: string) => Promise<boolean>) {
    this.#directory = directory;
    this.socket = socket;
    this.#argv = argv;
    this.#ready = ready;
  }

  /** Starts it, also after a crash: what is left of the one before may take a moment to go. */
  async start(): Promise<this> {
    const until = performance.now() + MOST_MS;
    while (!await this.#startOnce(until)) {
      if (performance.now() > until) throw new Error(`${this.#argv[0]} did not start:\n${this.#said}`);
      await pause(50);
    }
    return this;
  }

  async #startOnce(until: number): Promise<boolean> {
    const [program = '', ...args] = this.#argv;
    const child = spawn(program, args, { cwd: this.#directory, stdio: ['ignore', 'pipe', 'pipe'], ...unprivileged() });
    this.#process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => { this.#said = (this.#said + text).slice(-4_000); });
    while (child.exitCode === null && performance.now() < until) {
      if (await this.#ready(this.socket)) return true;
      await pause(10);
    }
    await this.stop('SIGKILL');
    return false;
  }

  /** To the server and, where the system tells of them, to the processes it has started, each of which serves a client. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    const children = `/proc/${pid}/task/${pid}/children`;
    const all = existsSync(children) ? readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number) : [];
    for (const one of [pid, ...all]) {
      try {
        process.kill(one, signal);
      } catch { /* it has ended meanwhile */ }
    }
  }

  /** @param signal KILL is a crash; INT makes all of these end at once and in order */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => { child.once('exit', resolve); });
    this.signal('SIGCONT');
    this.#process = null;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 20 });
  }
}

function newDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `attempt-${name}-`));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid);
  else chmodSync(directory, 0o700);
  return directory;
}

const connects = (socket: string): Promise<boolean> => new Promise((resolve) => {
  const connection = createConnection(socket);
  connection.once('connect', () => {
    connection.destroy();
    resolve(true);
  });
  connection.once('error', () => resolve(false));
});

/** A whole answer to a question that any client may ask, so that what is starting up does not count as ready. */
const answers = (socket: string, question: Buffer, answer: string): Promise<boolean> => new Promise((resolve) => {
  const connection = createConnection(socket, () => connection.write(question));
  let said = '';
  const end = (ready: boolean): void => {
    connection.destroy();
    resolve(ready);
  };
  connection.on('data', (data) => {
    said += data.toString('latin1');
    if (said.includes(answer)) end(true);
  });
  connection.setTimeout(300, () => end(false)); // it said something else, such as that it is still loading
  connection.on('error', () => end(false));
  connection.on('close', () => resolve(false));
});

function startupMessage(database: string): Buffer {
  const words = Buffer.from(`\0\x03\0\0user\0postgres\0database\0${database}\0\0`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeInt32BE(words.length + 4);
  return Buffer.concat([length, words]);
}

export interface PostgresSettings {
  /** Also on this loopback port. */
  readonly port?: number;
  /** False: does not wait for the disk; for tests that do not crash it. */
  readonly fsync?: boolean;
}

/** A PostgreSQL of its own: user and database `postgres`, everybody trusted, on a socket file. Null where there is none. */
export async function startPostgres({ port, fsync = false }: PostgresSettings = {}): Promise<Server | null> {
  const [initdb, postgres] = [programOf('initdb'), programOf('postgres')];
  if (!initdb || !postgres) return null;
  const directory = newDirectory('postgres');
  const data = join(directory, 'data');
  const made = spawnSync(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C'], {
    cwd: directory, encoding: 'utf8', ...unprivileged(),
  });
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}`);
  const socket = join(directory, `.s.PGSQL.${port ?? 5432}`);
  const settings = {
    listen_addresses: port === undefined ? '' : '127.0.0.1', port: String(port ?? 5432), unix_socket_directories: directory,
    fsync: fsync ? 'on' : 'off', max_connections: '500', shared_buffers: '64MB', log_min_messages: 'fatal',
  };
  const argv = [postgres, '-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
  const server = new Server(directory, socket, argv, (path) => answers(path, startupMessage('postgres'), 'Z\0\0\0\x05I'));
  return server.start();
}

export interface RedisSettings {
  readonly port?: number;
  /** Keeps every write on disk before it answers. Default: nothing is kept. */
  readonly keeps?: boolean;
  /** Further settings, as in redis.conf. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A Redis of its own, on a socket file. Null where there is none. */
export async function startRedis({ port = 0, keeps = false, more = {} }: RedisSettings = {}): Promise<Server | null> {
  const redis = programOf('redis-server') ?? programOf('valkey-server');
  if (!redis) return null;
  const directory = newDirectory('redis');
  const socket = join(directory, 'redis.sock');
  const settings = {
    port: String(port), bind: '127.0.0.1', unixsocket: socket, dir: directory, save: '', appendonly: keeps ? 'yes' : 'no',
    appendfsync: 'always', 'repl-diskless-sync-delay': '0', 'enable-debug-command': 'local', ...more,
  };
  const argv = [redis, ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])];
  return new Server(directory, socket, argv, (path) => answers(path, Buffer.from('PING\r\n'), '+PONG')).start();
}

/** A PgBouncer in transaction mode before a PostgreSQL, on a socket file. Null where there is none. */
export async function startPgBouncer(postgres: Server): Promise<Server | null> {
  const program = programOf('pgbouncer');
  if (!program) return null;
  const directory = newDirectory('pgbouncer');
  mkdirSync(join(directory, 'run'));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(join(directory, 'run'), uid, gid);
  const host = postgres.socket.replace(/\/[^/]*$/, '');
  writeFileSync(join(directory, 'users.txt'), '"postgres" ""\n');
  writeFileSync(join(directory, 'pgbouncer.ini'), [
    '[databases]', `* = host=${host} user=postgres`, '[pgbouncer]', 'listen_addr =', 'listen_port = 6432',
    `unix_socket_dir = ${join(directory, 'run')}`, 'auth_type = any', `auth_file = ${join(directory, 'users.txt')}`,
    'pool_mode = transaction', 'default_pool_size = 5', 'max_client_conn = 200', '',
  ].join('\n'));
  const socket = join(directory, 'run', '.s.PGSQL.6432');
  const argv = [program, join(directory, 'pgbouncer.ini')];
  return new Server(directory, socket, argv, connects).start();
}
