import { GRAPH_BUDGET } from './graph-budget-script.ts';
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
 * decision.ts as Redis runs it: all keys pass and all are charged, or none is. After the clock comes the application that asks for
 * a write at Graph, or nothing, then five arguments a key: ticks per millisecond, interval, window, 1 where the terms at Graph say
 * what it is charged, and whether it may refuse (`share`: while other applications ask too). The tenant's budget is the last key.
 * Returns the milliseconds of the decision, the terms at Graph, and key by key the arrival time before the charge: all that
 * toDecision needs.
 */
export const DECIDE_SCRIPT = createRedisScript(`${ARRIVALS}${GRAPH_BUDGET}
local count = (#ARGV - 2) / 5
local cost, others_asking = 1, false
if ARGV[2] ~= '' then cost, others_asking = ask_budget(KEYS[count + 1], ARGV[2], now_ms) end

local reply, steps, conforming, passes = { now_ms, cost, others_asking and 1 or 0 }, {}, {}, true
for i = 1, count do
  local at = 5 * i - 2
  local window, refuses = tonumber(ARGV[at + 2]), ARGV[at + 4]
  local now = now_ms * ARGV[at]
  local arrival = read_arrival(KEYS[i], window, now)
  steps[i] = math.min((ARGV[at + 3] == '1' and cost or 1) * ARGV[at + 1], window)
  conforming[i] = arrival + steps[i] - window - now <= 0
  if not conforming[i] and (refuses == 'yes' or refuses == 'share' and others_asking) then passes = false end
  reply[i + 3] = arrival
end
if passes then
  for i = 1, count do
    local ticks_per_ms = tonumber(ARGV[5 * i - 2])
    if conforming[i] then write_arrival(KEYS[i], reply[i + 3] + steps[i], now_ms * ticks_per_ms, ticks_per_ms) end
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
