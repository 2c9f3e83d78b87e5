import { GRAPH_BUDGET } from './graph-budget-script.ts';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript } from './redis-connection.ts';

/** Milliseconds still blocked, or 0: open, -1: the probe, under the owner's name, -2: another is the probe. */
export const ENTER = createRedisScript(`${REDIS_NOW}
local block = redis.call('HMGET', KEYS[1], 'until', 'probe_until')
if not block[1] then return 0 end
local left = math.ceil(tonumber(block[1]) - now_ms)
if left > 0 then return left end
if now_ms < tonumber(block[2]) then return -2 end
redis.call('HSET', KEYS[1], 'probe_until', string.format('%.0f', now_ms + ARGV[2]), 'prober', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return -1
`);

/** Whether it was news, the milliseconds left, and the failures in a row. */
export const BLOCK = createRedisScript(`${REDIS_NOW}${GRAPH_BUDGET}
local block = redis.call('HMGET', KEYS[1], 'until', 'failures')
local blocked_until, failures = tonumber(block[1] or 0), tonumber(block[2] or 0)
local kind, named_ms = ARGV[2], tonumber(ARGV[3])
local late = block[1] and kind ~= 'probe'
if late then
  blocked_until = math.max(blocked_until, now_ms + (named_ms or 0))
else
  failures = failures + 1
  local seconds = math.min(2 ^ (failures - 1), 60)
  local backoff_ms = math.ceil(math.max(1, seconds / 2 + ARGV[4] * seconds / 2) * 1000)
  blocked_until = math.max(blocked_until, now_ms + (named_ms or backoff_ms))
  redis.call('HSET', KEYS[1], 'failures', failures, 'probe_until', 0, 'prober', '')
  if kind ~= 'known' then shrink_budget(KEYS[2], now_ms) end
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', blocked_until))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(blocked_until - now_ms, 0) + ARGV[5]))
return { block[1] and 0 or 1, math.ceil(math.max(blocked_until - now_ms, 0)), failures }
`);

/** The owner's probe got through. */
export const OPEN = createRedisScript(`
if redis.call('HGET', KEYS[1], 'prober') == ARGV[2] then redis.call('DEL', KEYS[1]) end
return 1
`);

/** It did so a while ago: a block that Graph named since stands. */
export const OPEN_LATE = createRedisScript(`${REDIS_NOW}
local block = redis.call('HMGET', KEYS[1], 'prober', 'until')
if block[1] ~= ARGV[2] then return 1 end
if tonumber(block[2]) <= now_ms then redis.call('DEL', KEYS[1])
else redis.call('HSET', KEYS[1], 'probe_until', 0, 'prober', '') end
return 1
`);

/** The owner's probe was not sent. */
export const GIVE_UP_PROBE = createRedisScript(`
if redis.call('HGET', KEYS[1], 'prober') == ARGV[2] then
  redis.call('HSET', KEYS[1], 'probe_until', 0, 'prober', '')
end
return 1
`);
