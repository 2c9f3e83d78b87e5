import { MOST_HOLES } from './line.ts';

/** Lua: line.ts, stored as text: arrival, since and refunded, then the holes. */
export const LINES = `
local function read_line(key, window, now)
  local text = redis.call('GET', key) or ''
  local arrival, since, refunded, holes = string.match(text, '^(%d+) (%d+) (%d+)(.*)$')
  local line = { arrival = tonumber(arrival or 0), since = tonumber(since), refunded = tonumber(refunded), holes = holes }
  if line.arrival <= now or line.arrival > now + 2 * window then
    return { arrival = now, since = now, refunded = 0, holes = '' }
  end
  return line
end

-- a second longer than needed, for a replica whose clock is behind; %.0f because Lua prints 14 digits only
local function write_line(key, line, now, ticks_per_ms)
  local ttl = math.ceil((line.arrival - now) / ticks_per_ms) + 1000
  local text = string.format('%.0f %.0f %.0f', line.arrival, line.since, line.refunded)
  redis.call('SET', key, text .. line.holes, 'PX', ttl)
end
`;

export const WITHOUT_CHARGE = `
local function with_hole(holes, from, to)
  local sorted, merged = { { from, to } }, {}
  for _, hole in ipairs(holes) do table.insert(sorted, hole) end
  table.sort(sorted, function(a, b) return a[1] < b[1] end)
  for _, hole in ipairs(sorted) do
    local last = merged[#merged]
    if last and last[2] == hole[1] then last[2] = hole[2] else table.insert(merged, hole) end
  end
  return merged
end

local function without_lapsed(holes, refunded, lapsed)
  local behind, text = 0, ''
  for i = #holes, math.max(#holes - ${MOST_HOLES - 1}, 1), -1 do
    local from, to = holes[i][1], holes[i][2]
    if to - (refunded - behind) <= lapsed then break end
    text = string.format(' %.0f %.0f', from, to) .. text
    behind = behind + to - from
  end
  return text
end

local function without_charge(line, charge, now)
  if charge.now < line.since then return end
  local ends, behind, holes = charge.arrival - line.since + charge.refunded, 0, {}
  for from, to in string.gmatch(line.holes, ' (%d+) (%d+)') do
    from, to = tonumber(from), tonumber(to)
    if from < ends and ends <= to then return end
    if to > ends then behind = behind + to - from end
    table.insert(holes, { from, to })
  end
  local left = ends - (line.refunded - behind) - (now - line.since)
  local owed = math.max(0, math.min(left, charge.step))
  if owed == 0 then return end
  line.arrival = line.arrival - owed
  line.refunded = line.refunded + owed
  line.holes = without_lapsed(with_hole(holes, ends - owed, ends), line.refunded, now - line.since)
end
`;
