/** Lua: `now_ms`, milliseconds since the epoch by Redis' own clock, or the first argument where a test sets the time. */
export const REDIS_NOW = `
local now_ms = tonumber(ARGV[1])
if not now_ms then
  local time = redis.call('TIME')
  now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;
