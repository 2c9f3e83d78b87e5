import type { BlockedUntil, BlockedUntilOptions, Entry } from './blocked-until.ts';
import { readSeconds } from './blocked-until.ts';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript, REDIS_PREFIX, type RedisScript, type RunScript } from './redis-connection.ts';

export type RedisBlockedUntilOptions = Readonly<{
  run: RunScript;
  /** In this process: told of everything, asked while Redis fails. */
  local: BlockedUntil;
  random?: BlockedUntilOptions['random'];
  probeMs?: BlockedUntilOptions['probeMs'];
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

/** Long after a block has ended without anyone asking, its count of failures is of no interest. */
const FORGET_MS = 600_000;

/** blocked-until.ts in Redis, by Redis' clock: one pause and one probe for all replicas. Falls back on `local`, and never rejects. */
export function createRedisBlockedUntil({
  run,
  local,
  random = Math.random,
  probeMs = 30_000,
  now,
}: RedisBlockedUntilOptions): BlockedUntil {
  const tell = async (
    script: RedisScript,
    tenantId: string,
    ...args: (string | number)[]
  ): Promise<unknown> => {
    try {
      return await run(script, [`${REDIS_PREFIX}graph-blocked:${tenantId}`], [now?.() ?? '', ...args]);
    } catch {
      return undefined; // the limiter notices and logs that Redis is gone
    }
  };

  return {
    enter: async (tenantId) => {
      const entry = readEntry(await tell(ENTER, tenantId, probeMs, FORGET_MS));
      return entry ?? local.enter(tenantId);
    },
    block: async (tenantId, throttled) => {
      const isNewHere = await local.block(tenantId, throttled);
      const seconds = readSeconds(throttled);
      const namedMs = seconds === undefined ? '' : Math.ceil(seconds * 1000);
      const isNew = await tell(BLOCK, tenantId, throttled.probe ? 1 : 0, namedMs, random(), FORGET_MS);
      return typeof isNew === 'number' ? isNew === 1 : isNewHere;
    },
    open: async (tenantId) => {
      await local.open(tenantId);
      await tell(OPEN, tenantId);
    },
    giveUpProbe: async (tenantId) => {
      await local.giveUpProbe(tenantId);
      await tell(GIVE_UP_PROBE, tenantId);
    },
  };
}

/** From the milliseconds still blocked, 0 for open, -1 for the probe. */
function readEntry(reply: unknown): Entry | undefined {
  if (typeof reply !== 'number') return undefined;
  if (reply > 0) return { kind: 'blocked', retryAfterSeconds: Math.ceil(reply / 1000) };
  return { kind: reply === 0 ? 'open' : 'probe' };
}

const ENTER = createRedisScript(`${REDIS_NOW}
local block = redis.call('HMGET', KEYS[1], 'until', 'probe_until')
if not block[1] then return 0 end
local left = math.ceil(tonumber(block[1]) - now_ms)
if left > 0 then return left end
if now_ms < tonumber(block[2]) then return 1000 end
redis.call('HSET', KEYS[1], 'probe_until', string.format('%.0f', now_ms + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return -1
`);

const BLOCK = createRedisScript(`${REDIS_NOW}
local block = redis.call('HMGET', KEYS[1], 'until', 'failures')
local blocked_until, failures = tonumber(block[1] or 0), tonumber(block[2] or 0)
local is_probe, named_ms = ARGV[2] == '1', tonumber(ARGV[3])
local late = block[1] and not is_probe
if late then
  blocked_until = math.max(blocked_until, now_ms + (named_ms or 0))
else
  failures = failures + 1
  local seconds = math.min(2 ^ (failures - 1), 60)
  local backoff_ms = math.ceil(math.max(1, seconds / 2 + ARGV[4] * seconds / 2) * 1000)
  blocked_until = math.max(blocked_until, now_ms + (named_ms or backoff_ms))
  redis.call('HSET', KEYS[1], 'failures', failures, 'probe_until', 0)
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', blocked_until))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(blocked_until - now_ms, 0) + ARGV[5]))
return block[1] and 0 or 1
`);

const OPEN = createRedisScript(`return redis.call('DEL', KEYS[1])`);

const GIVE_UP_PROBE = createRedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'probe_until', 0) end
return 1
`);
