import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript } from './redis-connection.ts';

const ARRIVALS = `${REDIS_NOW}
-- gcra.ts toArrival
local function read_arrival(key, window, now)
  local stored = tonumber(redis.call('GET', key) or 0) or 0
  if stored > now + 2 * window then return now end
  return math.max(stored, now)
end

-- a second longer than needed, for a replica whose clock is behind; %.0f because Lua prints 14 digits only
local function write_arrival(key, arrival, now, ticks_per_ms)
  local ttl = math.ceil((arrival - now) / ticks_per_ms) + 1000
  redis.call('SET', key, string.format('%.0f', arrival), 'PX', ttl)
end
`;

/**
 * decision.ts as Redis runs it: all keys pass and all are charged, or none is. After the clock there are four arguments a key:
 * ticks per millisecond, step, window, and 1 where the key may refuse. Returns the milliseconds of the decision and, key by key,
 * the arrival time before the charge: all that toDecision needs.
 */
export const DECIDE_SCRIPT = createRedisScript(`${ARRIVALS}
local reply, passes = { now_ms }, true
for i, key in ipairs(KEYS) do
  local at = 4 * i - 2
  local step, window = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local now = now_ms * tonumber(ARGV[at])
  reply[i + 1] = read_arrival(key, window, now)
  local conforms = reply[i + 1] + step - window - now <= 0
  if ARGV[at + 3] == '1' and not conforms then passes = false end
end
if passes then
  for i, key in ipairs(KEYS) do
    local at = 4 * i - 2
    local ticks_per_ms, step, window = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local now = now_ms * ticks_per_ms
    if reply[i + 1] + step - window - now <= 0 then
      write_arrival(key, reply[i + 1] + step, now, ticks_per_ms)
    end
  end
end
return reply
`);

/**
 * gcra.ts withoutCharge. Arguments after the clock: ticks per millisecond, step, window, the arrival time the charge led to.
 * Returns the milliseconds of the refund and the arrival time after it.
 */
export const REFUND_SCRIPT = createRedisScript(`${ARRIVALS}
local ticks_per_ms, step, window = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = now_ms * ticks_per_ms
local owed = math.min(math.max(tonumber(ARGV[5]) - now, 0), step)
local arrival = read_arrival(KEYS[1], window, now) - owed
if arrival > now then
  write_arrival(KEYS[1], arrival, now, ticks_per_ms)
else
  redis.call('DEL', KEYS[1])
end
return { now_ms, math.max(arrival, now) }
`);
