/**
 * The scripts behind a Redis lock. Each runs alone, by the server's own clock, on keys of one session, which share a
 * hash tag and so a slot. (The list of a bell does not; in a cluster nobody has one.)
 *
 * The lock is one hash that is never deleted and never expires by itself, since the token in it must outlive every
 * grant: `token`, `owner` (empty: free), `ends` (server's milliseconds), `since`, `info`, `freed` (who gave it back last).
 * The line is a list of owners; what each waiter tells about itself, and when it was last seen, are hashes beside it.
 * Whoever is first in it is told by an element in the list of its process, which that one pops with BLPOP: what is pushed
 * while nobody pops is not lost, and only one is woken. The element is `token epoch owner`: a grant, or, with token 0,
 * only a hint to look.
 *
 * Uncontended, a grant and a release meet no key but the lock and the question whether there is another: what a command
 * within a script costs is what such a lock costs.
 *
 * Source: FIELD.md section 5; `SET NX PX` with an owner-checked delete is the known part, token and line are ours.
 */
import { ALIVE_MS, MOST_ASKS, SURE_MS } from '../engine/lock-engine.js';
import { Script } from './client.js';

/** Server time in milliseconds. KEYS 1 lock, 2 line, 3 waiters, 4 seen. */
const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Who is first in line and has been seen lately; the others before it are dropped. ARGV[2] everywhere: what comes before
 * the id of a bell. An element is kept a minute, in case whoever it is for is connecting at the moment.
 */
const LINE = `
local function first()
  while true do
    local head = redis.call('LINDEX', KEYS[2], 0)
    if not head then return false end
    local seen = tonumber(redis.call('HGET', KEYS[4], head) or 0)
    if seen >= now then return head, seen end
    redis.call('LPOP', KEYS[2])
    redis.call('HDEL', KEYS[3], head)
    redis.call('HDEL', KEYS[4], head)
  end
end
local function ring(info, owner, token, epoch)
  local bell = string.match(info, '^{"bell":"([%x-]+)"')
  if not bell then return false end
  redis.call('RPUSH', ARGV[2] .. bell, string.format('%.0f %s %s', token, epoch, owner))
  redis.call('PEXPIRE', ARGV[2] .. bell, 60000)
  return true
end
local function toldBy(waiter)
  local told = redis.call('HGET', KEYS[3], waiter) or ''
  return string.sub(told, (string.find(told, ' ', 1, true) or 0) + 1)
end
local function epochNow()
  local told = redis.pcall('INFO', 'replication')
  local _, at = string.find(type(told) == 'string' and told or '', 'master_replid:', 1, true)
  return at and string.sub(told, at + 1, at + 40) or ''
end
local function outOfLine(owner)
  if redis.call('HDEL', KEYS[4], owner) == 0 then return false end
  redis.call('LREM', KEYS[2], 0, owner)
  redis.call('HDEL', KEYS[3], owner)
  return true
end
`;

/**
 * The lock is free, its last token known. Who is first is granted it here and now, if it has looked so lately that it is
 * surely there, and listens; else it is told to look.
 */
const NEXT = `
local function next(token)
  local head, seen = first()
  if not head then return end
  local info = toldBy(head)
  if seen - now < ${SURE_MS} then return ring(info, head, 0, '-') end
  if not ring(info, head, token + 1, epochNow()) then return end
  redis.call('HSET', KEYS[1], 'token', token + 1, 'owner', head, 'ends', now + ${ALIVE_MS}, 'since', now, 'info', info)
  outOfLine(head)
end
`;

const script = (body: string): Script => new Script(TIME + LINE + NEXT + body);
/** For scripts that meet no waiter. */
const short = (body: string): Script => new Script(body);

/**
 * KEYS 5 the owner's tombstone. ARGV 1 owner, 2 before a bell, 3 lease in ms, 4 info, 5 wait ('1'), 6 for how long a
 * waiter counts as seen, ms. An owner that asks twice gets the same grant again: a lost reply is resolved by asking.
 * Answers {1, token, isNew, epoch} or {0, owner, token, ends, since, info, milliseconds left}.
 * The epoch is the id of the server's replication history: it changes with every failover and restart.
 */
export const acquire = new Script(`${TIME}${LINE}
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner', 'ends', 'since', 'info')
local owner, ends = lock[2] or '', tonumber(lock[3] or 0)
local held = owner ~= '' and ends >= now
local token, since = tonumber(lock[1] or 0), lock[4]
local again = owner == ARGV[1]
local others = redis.call('EXISTS', KEYS[2], KEYS[5]) > 0
if others and redis.call('EXISTS', KEYS[5]) == 1 then
  outOfLine(ARGV[1])
  return {0, '', token, '', '', '', ''}
end
local head = others and not again and not held and first()
if again or (not held and (not head or head == ARGV[1])) then
  if not again then
    token = token + 1
    since = now
  end
  redis.call('HSET', KEYS[1], 'token', token, 'owner', ARGV[1], 'ends', now + ARGV[3], 'since', since, 'info', ARGV[4])
  if others then outOfLine(ARGV[1]) end
  return {1, token, lock[1] and 0 or 1, epochNow()}
end
if ARGV[5] == '1' then
  if redis.call('HSET', KEYS[4], ARGV[1], now + ARGV[6]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[1])
    redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f ', now) .. ARGV[4])
  end
end
if not held then
  ring(toldBy(head), head, 0, '-')
  return {0, '', token, '', '', '', ''}
end
return {0, owner, token, ends, lock[4] or '', lock[5] or '', ends - now}
`);

/** ARGV 1 owner, 3 token, 4 floor. Answers the token, or nothing. */
export const raise = short(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[2] ~= ARGV[1] or lock[1] ~= ARGV[3] then return false end
local token = math.max(tonumber(lock[1]), tonumber(ARGV[4])) + 1
redis.call('HSET', KEYS[1], 'token', token)
return token
`);

/**
 * KEYS 5 what this owner is asked. ARGV 1 owner, 3 token, 4 lease in ms, 5 info. Also after its end, if nobody has been
 * granted since. Answers what it has been asked; nothing: not held.
 */
export const renew = short(`${TIME}
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[2] ~= ARGV[1] or lock[1] ~= ARGV[3] then return false end
redis.call('HSET', KEYS[1], 'ends', now + ARGV[4], 'info', ARGV[5])
return redis.call('LRANGE', KEYS[5], 0, -1)
`);

/** ARGV 1 owner, 3 token. Answers released, already (by this owner, before) or notHeld. */
export const release = new Script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner', 'freed')
if lock[2] ~= ARGV[1] or lock[1] ~= ARGV[3] then return lock[3] == ARGV[1] and 'already' or 'notHeld' end
redis.call('HSET', KEYS[1], 'owner', '', 'info', '', 'freed', ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then return 'released' end
${TIME}${LINE}${NEXT}
next(tonumber(lock[1]))
return 'released'
`);

/** KEYS 5 the owner's tombstone. ARGV 1 owner, 3 for how long, ms. 1: it held the lock, or did until it was buried. */
export const bury = script(`
local before = redis.call('SET', KEYS[5], '0', 'PX', ARGV[3], 'GET')
outOfLine(ARGV[1])
local freed = before == '1'
local lock = redis.call('HMGET', KEYS[1], 'owner', 'token', 'ends')
if lock[1] == ARGV[1] then
  freed = true
  redis.call('HSET', KEYS[1], 'owner', '', 'info', '', 'freed', ARGV[1])
end
if freed then redis.call('SET', KEYS[5], '1', 'PX', ARGV[3]) end
local held = (lock[1] or '') ~= '' and lock[1] ~= ARGV[1] and tonumber(lock[3] or 0) >= now
if not held then next(tonumber(lock[2] or 0)) end
return freed and 1 or 0
`);

/** ARGV 3 token. */
export const force = script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[1] ~= ARGV[3] or (lock[2] or '') == '' then return 0 end
redis.call('HSET', KEYS[1], 'owner', '', 'info', '', 'freed', '')
next(tonumber(lock[1]))
return 1
`);

/** ARGV 1 owner. Whoever is next may have been waiting for us; and we may have been granted it on our way out. */
export const leave = script(`
local left = outOfLine(ARGV[1])
local lock = redis.call('HMGET', KEYS[1], 'owner', 'ends', 'token')
local owner = lock[1] or ''
if owner == ARGV[1] then redis.call('HSET', KEYS[1], 'owner', '', 'info', '', 'freed', ARGV[1]) end
if owner == ARGV[1] or (left and (owner == '' or tonumber(lock[2] or 0) < now)) then next(tonumber(lock[3] or 0)) end
return 1
`);

/**
 * ARGV 3 token, 4 as, 5 what is laid, 6 before the key of what an owner is asked. It lies under the owner, which is never
 * used again: so no other grant can hear it. It ends by itself a minute after the lease.
 */
export const ask = script(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner', 'ends', 'info')
local owner, ends = lock[2] or '', tonumber(lock[3] or 0)
if owner == '' or lock[1] ~= ARGV[3] or ends < now then return 'notHeld' end
local read, info = pcall(cjson.decode, lock[4])
if ARGV[4] == 'superseded' and read and type(info) == 'table' and info.supersedable == false then return 'refused' end
local asks, alike = ARGV[6] .. owner, 0
for _, one in ipairs(redis.call('LRANGE', asks, 0, -1)) do
  if cjson.decode(one).as == ARGV[4] then alike = alike + 1 end
end
if alike < ${MOST_ASKS} then redis.call('RPUSH', asks, ARGV[5]) end
redis.call('PEXPIRE', asks, ends - now + 60000)
ring(lock[4] or '', owner, 0, '-')
return 'asked'
`);

/** ARGV 3 token, 4 what was laid, 5 before the key of what an owner is asked. */
export const withdraw = short(`
local lock = redis.call('HMGET', KEYS[1], 'token', 'owner')
if lock[1] == ARGV[3] then redis.call('LREM', ARGV[5] .. (lock[2] or ''), 0, ARGV[4]) end
return 1
`);

/** Answers {owner, token, ends, since, info, server's milliseconds, then the waiters' owners and what they tell, in order}. */
export const read = script(`
local lock = redis.call('HMGET', KEYS[1], 'owner', 'token', 'ends', 'since', 'info')
local found = {lock[1] or '', lock[2] or '', lock[3] or '', lock[4] or '', lock[5] or '', now}
for _, owner in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if tonumber(redis.call('HGET', KEYS[4], owner) or 0) >= now then
    found[#found + 1] = redis.call('HGET', KEYS[3], owner) or ''
  end
end
return found
`);
