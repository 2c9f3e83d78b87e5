import { GRAPH_BUDGET } from './graph-budget-script.ts';
import { LINES, WITHOUT_CHARGE } from './line-script.ts';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript } from './redis-connection.ts';

/**
 * decision.ts as Redis runs it: all keys pass and all are charged, or none is. After the clock comes the application that asks for
 * a write at Graph, or nothing, then five arguments a key: ticks per millisecond, interval, window, 1 where the terms at Graph say
 * what it is charged, and whether it may refuse (`share`: while other applications ask too). The tenant's budget is the last key.
 * Returns the milliseconds of the decision, the terms at Graph, and key by key arrival and refunds of its line before the
 * charge: all that toDecision needs.
 */
export const DECIDE_SCRIPT = createRedisScript(`${REDIS_NOW}${LINES}${GRAPH_BUDGET}
local count = (#ARGV - 2) / 5
local cost, others_asking = 1, false
if ARGV[2] ~= '' then cost, others_asking = ask_budget(KEYS[count + 1], ARGV[2], now_ms) end

local reply, lines, steps, conforming, passes = { now_ms, cost, others_asking and 1 or 0 }, {}, {}, {}, true
for i = 1, count do
  local at = 5 * i - 2
  local window, refuses = tonumber(ARGV[at + 2]), ARGV[at + 4]
  local now = now_ms * ARGV[at]
  local line = read_line(KEYS[i], window, now)
  lines[i] = line
  steps[i] = math.min((ARGV[at + 3] == '1' and cost or 1) * ARGV[at + 1], window)
  conforming[i] = line.arrival + steps[i] - window - now <= 0
  if not conforming[i] and (refuses == 'yes' or refuses == 'share' and others_asking) then passes = false end
  reply[2 * i + 2], reply[2 * i + 3] = line.arrival, line.refunded
end
if passes then
  for i = 1, count do
    local line, ticks_per_ms = lines[i], tonumber(ARGV[5 * i - 2])
    line.arrival = line.arrival + steps[i]
    if conforming[i] then write_line(KEYS[i], line, now_ms * ticks_per_ms, ticks_per_ms) end
  end
end
return reply
`);

/**
 * line.ts withoutCharge. Arguments after the clock: ticks per millisecond, window, then the charge: its step, and the line's arrival
 * and refunds after it, and when it was. Returns the milliseconds of the refund, and the line's arrival and refunds then.
 */
export const REFUND_SCRIPT = createRedisScript(`${REDIS_NOW}${LINES}${WITHOUT_CHARGE}
local ticks_per_ms, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms * ticks_per_ms
local line = read_line(KEYS[1], window, now)
without_charge(line, {
  step = tonumber(ARGV[4]), arrival = tonumber(ARGV[5]), refunded = tonumber(ARGV[6]), now = tonumber(ARGV[7])
}, now)
if line.arrival > now then
  write_line(KEYS[1], line, now, ticks_per_ms)
else
  redis.call('DEL', KEYS[1])
end
return { now_ms, line.arrival, line.refunded }
`);
