import { z } from 'zod';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript, REDIS_PREFIX, type RedisScript, type RunScript } from './redis-connection.ts';

/** Whose turn it is: one request of one replica. */
export type TurnOwner = Readonly<{ request: string; replica: string }>;

/** A turn that was taken, with what is known of the last one before it that did something. */
export type TakenTurn = Readonly<{
  last?: TurnOwner & Readonly<{ beganMsAgo: number; endedMsAgo: number }>;
  /** Milliseconds for which what was done in some turn before may still take effect, if there is such a thing. */
  openMs?: number;
}>;

/** One turn at a time under each key for all replicas, by Redis' clock. Every call rejects as `run` does. */
export type RedisCreationTurn = Readonly<{
  /** The turn, if it is free. Who asks first while it is not has the next one, as long as it goes on asking. */
  take: (key: string, owner: TurnOwner) => Promise<TakenTurn | undefined>;
  /** To be told every {@link KEEP_MS}: a holder that is silent for a few of them is gone. */
  keep: (key: string, owner: TurnOwner) => Promise<void>;
  /**
   * Ends the turn, or the wait for it. `actedMs`: it did something, and began so many milliseconds ago. `isOpen`: that may still
   * take effect.
   */
  end: (key: string, owner: TurnOwner, actedMs?: number, isOpen?: boolean) => Promise<void>;
}>;

type RedisCreationTurnOptions = Readonly<{
  run: RunScript;
  /** Milliseconds for which the last turn is remembered. */
  lifetimeMs: number;
  /** Milliseconds for which what a turn left open may still take effect. */
  lateMs: number;
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

export const KEEP_MS = 1000;
const LEASE_MS = 5 * KEEP_MS;
/** For who waits; it asks more often than that. */
const RESERVED_MS = 250;

export function createRedisCreationTurn({
  run,
  lifetimeMs,
  lateMs,
  now,
}: RedisCreationTurnOptions): RedisCreationTurn {
  const tell = (
    script: RedisScript,
    key: string,
    { request, replica }: TurnOwner,
    ...args: (string | number)[]
  ): Promise<unknown> =>
    run(script, [`${REDIS_PREFIX}turn:${key}`], [now?.() ?? '', request, replica, lifetimeMs, ...args]);

  return {
    take: async (key, owner) => parseTaken(await tell(TAKE, key, owner, LEASE_MS, RESERVED_MS, lateMs)),
    keep: async (key, owner) => void (await tell(KEEP, key, owner, LEASE_MS)),
    end: async (key, owner, actedMs, isOpen = false) =>
      void (await tell(END, key, owner, actedMs ?? '', isOpen ? lateMs : '')),
  };
}

const LAST = z.tuple([z.string(), z.string(), z.number(), z.number(), z.number()]);

/** Not free: `nil`. Else the last turn, or nothing. */
function parseTaken(reply: unknown): TakenTurn | undefined {
  if (reply === null) return undefined;
  if (Array.isArray(reply) && reply.length === 0) return {};
  const [request, replica, beganMsAgo, endedMsAgo, openMs] = LAST.parse(reply);
  const last = { request, replica, beganMsAgo, endedMsAgo };
  return openMs > 0 ? { last, openMs } : { last };
}

/** A holder that fell silent is taken to have been at it until now, and to have left that open. */
const TAKE = createRedisScript(`${REDIS_NOW}
local time = string.format('%.0f', now_ms)
local turn = redis.call('HMGET', KEYS[1], 'holder', 'until', 'next', 'next_until', 'holder_replica', 'began')
local holder, next = turn[1], turn[3]
if holder == ARGV[2] then holder = false end
local is_reserved = next and next ~= ARGV[2] and now_ms < tonumber(turn[4])
if (holder and now_ms < tonumber(turn[2])) or is_reserved then
  if not is_reserved then
    redis.call('HSET', KEYS[1], 'next', ARGV[2], 'next_until', string.format('%.0f', now_ms + ARGV[6]))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  end
  return false
end
if holder then
  redis.call('HSET', KEYS[1], 'last', holder, 'last_replica', turn[5], 'last_began', turn[6], 'last_ended', time,
    'open_until', string.format('%.0f', now_ms + ARGV[7]))
end
redis.call('HDEL', KEYS[1], 'next', 'next_until')
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'holder_replica', ARGV[3], 'began', time,
  'until', string.format('%.0f', now_ms + ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local last = redis.call('HMGET', KEYS[1], 'last', 'last_replica', 'last_began', 'last_ended', 'open_until')
if not last[1] then return {} end
return { last[1], last[2], now_ms - last[3], now_ms - last[4], math.max(0, tonumber(last[5] or now_ms) - now_ms) }
`);

const KEEP = createRedisScript(`${REDIS_NOW}
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[2] then return 0 end
return redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now_ms + ARGV[5]))
`);

/** What was done counts even without the turn: Redis may have been gone when it began. */
const END = createRedisScript(`${REDIS_NOW}
if redis.call('HGET', KEYS[1], 'next') == ARGV[2] then redis.call('HDEL', KEYS[1], 'next', 'next_until') end
if redis.call('HGET', KEYS[1], 'holder') == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'holder', 'holder_replica', 'began', 'until')
end
if ARGV[5] == '' then return 0 end
redis.call('HSET', KEYS[1], 'last', ARGV[2], 'last_replica', ARGV[3],
  'last_began', string.format('%.0f', now_ms - ARGV[5]), 'last_ended', string.format('%.0f', now_ms))
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'open_until', string.format('%.0f', now_ms + ARGV[6])) end
return redis.call('PEXPIRE', KEYS[1], ARGV[4])
`);
