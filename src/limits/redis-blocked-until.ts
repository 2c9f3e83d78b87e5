import { z } from 'zod';
import type { BlockedUntil, BlockedUntilOptions, Entry, LocalBlockedUntil } from './blocked-until.ts';
import { readSeconds } from './blocked-until.ts';
import { GRAPH_BUDGET, toBudgetKey } from './graph-budget-script.ts';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript, REDIS_PREFIX, type RedisScript, type RunScript } from './redis-connection.ts';

/** What was throttled: a probe or another request, by which the budget is halved if it is news; or a block is told again. */
type BlockKind = 'probe' | 'other' | 'known';

export type RedisBlockedUntilOptions = Readonly<{
  run: RunScript;
  /** In this process: told of everything, asked while Redis fails, and believed when Redis has forgotten. */
  local: LocalBlockedUntil;
  random?: BlockedUntilOptions['random'];
  probeMs?: BlockedUntilOptions['probeMs'];
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

/** Long after a block has ended without anyone asking, its count of failures is of no interest. */
const FORGET_MS = 600_000;

/**
 * blocked-until.ts in Redis, by Redis' clock: one pause and one probe for all replicas. Falls back on `local`, and never rejects.
 * A block that this process knows of stands though Redis was flushed, or away when it began; Redis is then told again.
 */
export function createRedisBlockedUntil({
  run,
  local,
  random = Math.random,
  probeMs = 30_000,
  now,
}: RedisBlockedUntilOptions): BlockedUntil {
  const readLocalClock = now ?? Date.now;

  const tell = async (
    script: RedisScript,
    tenantId: string,
    ...args: (string | number)[]
  ): Promise<unknown> => {
    try {
      const keys = [`${REDIS_PREFIX}graph-blocked:${tenantId}`, toBudgetKey(tenantId)];
      return await run(script, keys, [now?.() ?? '', ...args]);
    } catch {
      return undefined; // the limiter notices and logs that Redis is gone
    }
  };

  const tellBlock = async (tenantId: string, kind: BlockKind, namedMs: number | undefined) => {
    const args = [kind, namedMs === undefined ? '' : Math.ceil(namedMs), random(), FORGET_MS];
    return readTold(await tell(BLOCK, tenantId, ...args));
  };

  /** Redis counts from a little later than `askedAt`: what is known here never outlasts its block. */
  const learn = (tenantId: string, askedAt: number, leftMs: number, failures?: number): void =>
    local.learn(tenantId, askedAt + leftMs, failures);

  return {
    enter: async (tenantId) => {
      const knownMs = local.leftMs(tenantId);
      if (knownMs > 0) {
        const told = await tellBlock(tenantId, 'known', knownMs);
        return toBlocked(Math.max(knownMs, told?.leftMs ?? 0));
      }
      const askedAt = readLocalClock();
      const reply = await tell(ENTER, tenantId, probeMs, FORGET_MS);
      if (typeof reply !== 'number') return local.enter(tenantId);
      if (reply > 0) learn(tenantId, askedAt, reply);
      if (reply === OPEN_REPLY) {
        // One that began here while Redis was asked.
        const leftMs = local.leftMs(tenantId);
        if (leftMs > 0) return toBlocked(leftMs);
        await local.open(tenantId);
      }
      return toEntry(reply);
    },
    block: async (tenantId, throttled) => {
      const isNewHere = await local.block(tenantId, throttled);
      const seconds = readSeconds(throttled);
      const askedAt = readLocalClock();
      const told = await tellBlock(tenantId, throttled.probe ? 'probe' : 'other', seconds && seconds * 1000);
      if (told === undefined) return isNewHere;
      learn(tenantId, askedAt, told.leftMs, told.failures);
      return told.isNew;
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

function toBlocked(leftMs: number): Entry {
  return { kind: 'blocked', retryAfterSeconds: Math.ceil(leftMs / 1000) };
}

/** Else the milliseconds still blocked. */
const OPEN_REPLY = 0;
const PROBE_REPLY = -1;
const PROBE_UNDER_WAY_REPLY = -2;

function toEntry(reply: number): Entry {
  switch (reply) {
    case OPEN_REPLY:
      return { kind: 'open' };
    case PROBE_REPLY:
      return { kind: 'probe' };
    case PROBE_UNDER_WAY_REPLY:
      return { kind: 'blocked', retryAfterSeconds: 1 };
    default:
      return toBlocked(reply);
  }
}

const TOLD = z.tuple([z.number(), z.number(), z.number()]);

function readTold(
  reply: unknown,
): Readonly<{ isNew: boolean; leftMs: number; failures: number }> | undefined {
  const { data } = TOLD.safeParse(reply);
  if (data === undefined) return undefined;
  const [isNew, leftMs, failures] = data;
  return { isNew: isNew === 1, leftMs, failures };
}

const ENTER = createRedisScript(`${REDIS_NOW}
local block = redis.call('HMGET', KEYS[1], 'until', 'probe_until')
if not block[1] then return 0 end
local left = math.ceil(tonumber(block[1]) - now_ms)
if left > 0 then return left end
if now_ms < tonumber(block[2]) then return -2 end
redis.call('HSET', KEYS[1], 'probe_until', string.format('%.0f', now_ms + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return -1
`);

const BLOCK = createRedisScript(`${REDIS_NOW}${GRAPH_BUDGET}
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
  redis.call('HSET', KEYS[1], 'failures', failures, 'probe_until', 0)
  if kind ~= 'known' then shrink_budget(KEYS[2], now_ms) end
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', blocked_until))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(blocked_until - now_ms, 0) + ARGV[5]))
return { block[1] and 0 or 1, math.ceil(math.max(blocked_until - now_ms, 0)), failures }
`);

const OPEN = createRedisScript(`return redis.call('DEL', KEYS[1])`);

const GIVE_UP_PROBE = createRedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'probe_until', 0) end
return 1
`);
