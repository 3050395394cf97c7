/**
 * What we need of ioredis or node-redis, as it is: the caller's own client. Neither package is imported.
 */
import { createHash } from 'node:crypto';
import { AttemptError, describe } from '../../errors.js';

/** An ioredis `Redis` or `Cluster`, or a connected node-redis client. */
export interface RedisClient {
  // `any`, so that the overloads of both packages' types fit.
  // oxlint-disable-next-line no-explicit-any
  duplicate(...args: any[]): any;
}

interface Ioredis extends RedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  on(event: string, fn: () => void): unknown;
  readonly stream?: { unref?(): void };
}

interface NodeRedis extends RedisClient {
  sendCommand(words: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  destroy(): void;
  unref?(): void;
  on(event: string, fn: () => void): unknown;
}

/** A connection of our own that may block. */
export interface BlockingClient {
  call(words: string[]): Promise<unknown>;
  /** Ends it at once; what it was asked rejects. */
  end(): void;
}

export const isIoredis = (client: unknown): client is Ioredis =>
  typeof (client as Partial<Ioredis>)?.call === 'function' && typeof (client as Partial<Ioredis>).disconnect === 'function';
export const isNodeRedis = (client: unknown): client is NodeRedis =>
  typeof (client as Partial<NodeRedis>)?.sendCommand === 'function' && typeof (client as Partial<NodeRedis>).destroy === 'function';

/** A script, known to the server by its hash once it has been sent. */
export class Script {
  readonly #text: string;
  readonly #hash: string;

  constructor(text: string) {
    this.#text = text;
    this.#hash = createHash('sha1').update(text).digest('hex');
  }

  async run(commands: Commands, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    try {
      return await commands.call(['EVALSHA', this.#hash, ...rest]);
    } catch (error) {
      if (!describe(error).startsWith('NOSCRIPT')) throw error;
      return commands.call(['EVAL', this.#text, ...rest]);
    }
  }
}

/** Commands on the caller's client, whichever it is. */
export class Commands {
  readonly #client: Ioredis | NodeRedis;

  constructor(client: RedisClient) {
    this.#client = client as Ioredis | NodeRedis;
  }

  /** ioredis asks the node of the first key; a multi-key BLPOP or an unkeyed command then has no one place. */
  get isCluster(): boolean {
    return (this.#client as { isCluster?: boolean }).isCluster === true;
  }

  /** What ioredis puts before each key by itself; a script that makes up a key has to do so, too. */
  get keyPrefix(): string {
    return (this.#client as { options?: { keyPrefix?: string } }).options?.keyPrefix ?? '';
  }

  call(words: string[]): Promise<unknown> {
    const client = this.#client;
    if (!isIoredis(client)) return client.sendCommand(words);
    const [command = '', ...args] = words;
    return client.call(command, ...args);
  }

  /** A second connection, which does not keep the process alive. */
  async duplicate(): Promise<BlockingClient> {
    if (isIoredis(this.#client)) {
      // What was asked on a connection that is lost is asked anew by us: not by the client, which knows no better.
      const made = this.#client.duplicate({
        retryStrategy: null, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, lazyConnect: true,
      }) as Ioredis & { connect(): Promise<void> };
      made.on('error', () => {});
      await made.connect();
      made.stream?.unref?.();
      return { call: ([command = '', ...args]) => made.call(command, ...args), end: () => made.disconnect() };
    }
    const made = this.#client.duplicate() as NodeRedis;
    made.on('error', () => {});
    await made.connect();
    made.unref?.();
    return { call: (words) => made.sendCommand(words), end: () => made.destroy() };
  }
}

/** Answers of a server that says so itself: not to be had by asking again on another connection. */
const DEFINITE = /^(ERR|WRONGTYPE|NOPERM|NOAUTH|WRONGPASS|OOM|CROSSSLOT|NOSCRIPT|XX)/;

export function isConnectionFailure(error: unknown): boolean {
  return !(error instanceof AttemptError) && !(error instanceof TypeError) && !DEFINITE.test(describe(error));
}
