/**
 * Records of sessions in a Redis stream: one script checks the token and appends. The id of an entry is the token and
 * the writer's number, so the stream itself refuses what is smaller, and the same record asked for twice is one.
 */
import { expect } from '../../config-checks.js';
import type { SessionEntry } from '../../session/read-session.js';
import type { OpenRequest, OpenedSession } from '../../session/session-records.js';
import { collected, notHeldHere, RecordQueue, streamed, type Batch, type EngineRecords, type RecordPage } from '../engine/record-queue.js';
import { Commands, isConnectionFailure, isIoredis, isNodeRedis, Script, type RedisClient } from './client.js';
import { checkedPrefix, keysOf } from './keys.js';

export interface RedisSessionOptions {
  /** As given to `redisLocks`. Default: `attempt`. */
  prefix?: string;
}

/** Entries of one page when reading. */
const PAGE = 1_000;

/** The last id the stream has ever given, also if it has been trimmed away since: token, number. KEYS 1 lock, 2 records. */
const LAST = `
local function last()
  local found = redis.pcall('XINFO', 'STREAM', KEYS[2])
  if found.err then return 0, 0 end
  for i = 1, #found, 2 do
    if found[i] == 'last-generated-id' then
      local token, number = string.match(found[i + 1], '(%d+)-(%d+)')
      return tonumber(token), tonumber(number)
    end
  end
  return 0, 0
end
local function held()
  local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
  return lock[2] == ARGV[1] and lock[1] == ARGV[2]
end
`;

/** ARGV 1 owner, 2 token. Answers the last number under this token, or nothing where it is not held. */
const opening = new Script(`${LAST}
if not held() then return false end
local token, number = last()
return token == tonumber(ARGV[2]) and number or 0
`);

/**
 * ARGV 1 owner, 2 token, 3 first number (empty: after what is there, for one of several children), 4 replaces ('1'), then
 * the records. Answers 1, or 0 where it is not held.
 */
const write = new Script(`${LAST}
if not held() then return 0 end
local token, number = last()
if token > tonumber(ARGV[2]) then return 0 end
if token < tonumber(ARGV[2]) then number = 0 end
local first = tonumber(ARGV[3]) or number + 1
for i = 5, #ARGV do
  local n = first + i - 5
  if n > number then redis.call('XADD', KEYS[2], ARGV[2] .. '-' .. string.format('%.0f', n), 'record', ARGV[i]) end
end
if ARGV[4] == '1' then
  if #ARGV < 5 then redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
  else redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2] .. '-' .. ARGV[3]) end
end
return 1
`);

const floor = new Script(`${LAST}
local token = last()
return string.format('%.0f', token)
`);

/**
 * The `records` of attempts whose lock is in `redisLocks()` of the same server and prefix. Needs Redis 6.2 or newer.
 *
 * As durable as that server: an acknowledged record can be lost with a failover or a crash, unless it is configured
 * otherwise (see FLEETS.md). `append` rejects with `WRITE_FENCED` once another attempt has been granted the lock.
 *
 * @param client a connected ioredis or node-redis client; stays the caller's
 * @throws AttemptError `CONFIG_INVALID`
 */
export function redisSession(client: RedisClient, options: RedisSessionOptions = {}): EngineRecords {
  expect(isIoredis(client) || isNodeRedis(client), 'client', 'an ioredis or node-redis client', client);
  const prefix = checkedPrefix(options.prefix);
  const commands = new Commands(client);
  const keys = (session: string): string[] => {
    const { lock, records } = keysOf(prefix, session);
    return [lock, records];
  };

  async function open(request: OpenRequest): Promise<OpenedSession> {
    const { session, joining = false, lease: { owner, token } } = request;
    const last = await opening.run(commands, keys(session), [owner, token]);
    if (last === null) throw notHeldHere(session, 'Redis and prefix');
    const writeBatch = async ({ first, records, replaces }: Batch): Promise<boolean> =>
      Number(await write.run(commands, keys(session), [owner, token, first ?? '', replaces ? 1 : 0, ...records])) === 1;
    const has = async (n: number): Promise<boolean> => {
      const id = `${token}-${n}`;
      return (await commands.call(['XRANGE', keys(session)[1] ?? '', id, id]) as unknown[]).length > 0;
    };
    return new RecordQueue(session, { write: writeBatch, has, isConnectionFailure }, joining ? null : Number(last) + 1).opened();
  }

  async function page(session: string, after: string | null): Promise<RecordPage> {
    const [, records = ''] = keys(session);
    const from = after === null ? '-' : `(${after}`;
    const found = await commands.call(['XRANGE', records, from, '+', 'COUNT', String(PAGE)]) as [string, string[]][];
    return {
      entries: found.map(([id, [, text = '']]) => ({ record: JSON.parse(text) as unknown, token: Number(id.split('-')[0]) })),
      end: found.at(-1)?.[0] ?? after,
    };
  }

  const stream = (session: string): AsyncGenerator<SessionEntry, void, undefined> => streamed((after) => page(session, after));

  return {
    tokenFloor: async (session) => Number(await floor.run(commands, keys(session), ['', ''])),
    open, page, stream,
    read: (session) => collected(stream(session)),
  };
}
