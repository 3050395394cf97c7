/**
 * The scripts behind a Redis lock. Each runs alone, by the server's own clock, on keys of one session, which share a
 * hash tag and so a slot.
 *
 * The lock is one hash that is never deleted and never expires by itself, since the token in it must outlive every
 * grant: `token`, `owner` (empty: free), `ends` (server's milliseconds), `since`, `info`, `freed` (who gave it back last).
 * The line is a list of owners; what each waiter tells about itself, and when it was last seen, are hashes beside it.
 * Whoever is first in it is woken by an element in a list of its own, which it pops with BLPOP: what is pushed while
 * nobody pops is not lost, and only one is woken.
 *
 * Source: FIELD.md section 5; `SET NX PX` with an owner-checked delete is the known part, token and line are ours.
 */
import { Script } from './client.js';

/** Server time in milliseconds, and what all scripts need. KEYS 1 lock, 2 line, 3 waiters, 4 seen. */
const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
`;

/**
 * Who is first in line and has been seen lately; the others before it are dropped. ARGV[2] everywhere: the prefix of
 * the wake lists. A wake is kept a minute, in case whoever it is for is connecting at the moment.
 */
const LINE = `
local function first()
  while true do
    local head = redis.call('LINDEX', KEYS[2], 0)
    if not head then return false end
    local seen = tonumber(redis.call('HGET', KEYS[4], head) or 0)
    if seen >= now then return head end
    redis.call('LPOP', KEYS[2])
    redis.call('HDEL', KEYS[3], head)
    redis.call('HDEL', KEYS[4], head)
  end
end
local function wake()
  local head = first()
  if not head then return end
  local list = ARGV[2] .. head
  redis.call('DEL', list)
  redis.call('RPUSH', list, '1')
  redis.call('PEXPIRE', list, 60000)
end
local function outOfLine(owner)
  if redis.call('HDEL', KEYS[4], owner) == 0 then return false end
  redis.call('LREM', KEYS[2], 0, owner)
  redis.call('HDEL', KEYS[3], owner)
  redis.call('DEL', ARGV[2] .. owner)
  return true
end
`;

const script = (body: string): Script => new Script(PRELUDE + LINE + body);
/** For scripts that meet no waiter. */
const short = (body: string): Script => new Script(PRELUDE + body);

/**
 * KEYS 5 the owner's tombstone. ARGV 1 owner, 2 wake prefix, 3 lease in ms, 4 info, 5 wait ('1'), 6 for how long a
 * waiter counts as seen, ms. An owner that asks twice gets the same grant again: a lost reply is resolved by asking.
 * Answers {1, token, isNew, epoch} or {0, owner, token, ends, since, info, milliseconds left}.
 * The epoch is the id of the server's replication history: it changes with every failover and restart.
 */
export const acquire = script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner', 'ends', 'since', 'info')
local owner, ends = lock[2] or '', tonumber(lock[3] or 0)
local held = owner ~= '' and ends >= now
if redis.call('EXISTS', KEYS[5]) == 1 then
  outOfLine(ARGV[1])
  return {0, '', '', '', '', '', ''}
end
local again = owner == ARGV[1]
local head = not again and not held and first()
if again or (not held and (not head or head == ARGV[1])) then
  local token = tonumber(lock[1] or 0)
  local since = lock[4]
  if not again then
    token = token + 1
    since = whole(now)
  end
  redis.call('HSET', KEYS[1], 'token', whole(token), 'owner', ARGV[1], 'ends', whole(now + ARGV[3]), 'since', since,
    'info', ARGV[4], 'freed', '')
  if ARGV[5] == '1' then outOfLine(ARGV[1]) end
  local epoch = ''
  local told = redis.pcall('INFO', 'replication')
  if type(told) == 'string' then epoch = string.match(told, 'master_replid:(%x+)') or '' end
  return {1, whole(token), lock[1] and 0 or 1, epoch}
end
if ARGV[5] == '1' then
  if redis.call('HSET', KEYS[4], ARGV[1], whole(now + ARGV[6])) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[1])
    redis.call('HSET', KEYS[3], ARGV[1], whole(now) .. ' ' .. ARGV[4])
  end
end
if not held then
  wake()
  return {0, '', '', '', '', '', ''}
end
return {0, owner, lock[1], lock[3], lock[4] or '', lock[5] or '', whole(ends - now)}
`);

/** ARGV 1 owner, 3 token, 4 floor. Answers the token, or nothing. */
export const raise = short(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[2] ~= ARGV[1] or lock[1] ~= ARGV[3] then return false end
local token = whole(math.max(tonumber(lock[1]), tonumber(ARGV[4])) + 1)
redis.call('HSET', KEYS[1], 'token', token)
return token
`);

/** ARGV 1 owner, 3 token, 4 lease in ms, 5 info. Also after its end, if nobody has been granted since. */
export const renew = short(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[2] ~= ARGV[1] or lock[1] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'ends', whole(now + ARGV[4]), 'info', ARGV[5])
return 1
`);

/** ARGV 1 owner, 3 token. Answers released, already or notHeld. */
export const release = script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner', 'freed')
if lock[1] ~= ARGV[3] then return 'notHeld' end
if lock[2] ~= ARGV[1] then return lock[2] == '' and lock[3] == ARGV[1] and 'already' or 'notHeld' end
redis.call('HSET', KEYS[1], 'owner', '', 'ends', '0', 'info', '', 'freed', ARGV[1])
wake()
return 'released'
`);

/** KEYS 5 the owner's tombstone. ARGV 1 owner, 3 for how long, ms. 1: it held the lock, or did until it was buried. */
export const bury = script(`
local before = redis.call('SET', KEYS[5], '0', 'PX', ARGV[3], 'GET')
outOfLine(ARGV[1])
local freed = before == '1'
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
  freed = true
  redis.call('HSET', KEYS[1], 'owner', '', 'ends', '0', 'info', '', 'freed', ARGV[1])
end
if freed then redis.call('SET', KEYS[5], '1', 'PX', ARGV[3]) end
wake()
return freed and 1 or 0
`);

/** ARGV 3 token. */
export const force = script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[1] ~= ARGV[3] or (lock[2] or '') == '' then return 0 end
redis.call('HSET', KEYS[1], 'owner', '', 'ends', '0', 'info', '', 'freed', '')
wake()
return 1
`);

/** ARGV 1 owner. Whoever is next may have been waiting for us. */
export const leave = script(`
if outOfLine(ARGV[1]) then
  local lock = redis.call('HMGET', KEYS[1], 'owner', 'ends')
  if (lock[1] or '') == '' or tonumber(lock[2] or 0) < now then wake() end
end
return 1
`);

/** Answers {owner, token, ends, since, info, then the waiters' owners and what they tell, in order}. */
export const read = script(`
local lock = redis.call('HMGET', KEYS[1], 'owner', 'token', 'ends', 'since', 'info')
local found = {lock[1] or '', lock[2] or '', lock[3] or '', lock[4] or '', lock[5] or ''}
for _, owner in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if tonumber(redis.call('HGET', KEYS[4], owner) or 0) >= now then
    found[#found + 1] = redis.call('HGET', KEYS[3], owner) or ''
  end
end
return found
`);
