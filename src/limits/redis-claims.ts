import { randomUUID } from 'node:crypto';
import { REDIS_NOW } from './redis-clock.ts';
import { createRedisScript, REDIS_PREFIX, type RunScript } from './redis-connection.ts';

/** What stands under a key that is worked on once, whatever the replica. */
export type RedisClaim =
  | Readonly<{ kind: 'first' }>
  | Readonly<{ kind: 'under_way'; fingerprint: string }>
  | Readonly<{ kind: 'known'; value: string }>
  /** Its claimant never came back: what it did is not known here. */
  | Readonly<{ kind: 'abandoned'; fingerprint: string }>;

export type ClaimValue = Readonly<{
  fingerprint: string;
  /** Not final: whoever claims it next with the same fingerprint is to work on it, alone. */
  open: boolean;
  value: string;
}>;

/** Keys with an in-flight mark, shared by all replicas. Every call rejects as `run` does. */
export type RedisClaims = Readonly<{
  /** `owner` names this attempt, so that an attempt whose answer was lost can be taken back by `release`. */
  claim: (key: string, fingerprint: string, owner: string) => Promise<RedisClaim>;
  keep: (key: string, value: ClaimValue) => Promise<void>;
  /** Takes this owner's claim back; a value that stood there before stays. */
  release: (key: string, owner: string) => Promise<void>;
}>;

export type RedisClaimsOptions = Readonly<{
  run: RunScript;
  /** Milliseconds for which a key counts. */
  lifetimeMs: number;
  /** Milliseconds after which a claimant that has not kept anything is gone; longer than any request may take. */
  underWayMs: number;
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

export function createOwner(): string {
  return randomUUID();
}

export function createRedisClaims({ run, lifetimeMs, underWayMs, now }: RedisClaimsOptions): RedisClaims {
  const tell = (script: typeof CLAIM, key: string, ...args: (string | number)[]): Promise<unknown> =>
    run(script, [`${REDIS_PREFIX}claim:${key}`], [now?.() ?? '', ...args]);
  return {
    claim: async (key, fingerprint, owner) =>
      parseClaim(await tell(CLAIM, key, fingerprint, owner, underWayMs, lifetimeMs)),
    keep: async (key, { fingerprint, open, value }) =>
      void (await tell(KEEP, key, fingerprint, open ? 1 : 0, value, lifetimeMs)),
    release: async (key, owner) => void (await tell(RELEASE, key, owner)),
  };
}

function parseClaim(reply: unknown): RedisClaim {
  const [kind, text]: unknown[] = Array.isArray(reply) ? reply : [];
  if (kind === 'first') return { kind };
  if (typeof text === 'string') {
    if (kind === 'under_way' || kind === 'abandoned') return { kind, fingerprint: text };
    if (kind === 'known') return { kind, value: text };
  }
  throw new TypeError('Redis gave an unexpected answer');
}

const CLAIM = createRedisScript(`${REDIS_NOW}
local claim = redis.call('HMGET', KEYS[1], 'fingerprint', 'until', 'open', 'value')
local fingerprint, claimed_until, open, value = claim[1], claim[2], claim[3], claim[4]
if claimed_until and now_ms < tonumber(claimed_until) then return { 'under_way', fingerprint } end
if fingerprint and not value then return { 'abandoned', fingerprint } end
if not value or (open == '1' and fingerprint == ARGV[2]) then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'owner', ARGV[3],
    'until', string.format('%.0f', now_ms + ARGV[4]))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
if value then return { 'known', value } end
return { 'first' }
`);

const KEEP = createRedisScript(`
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'open', ARGV[3], 'value', ARGV[4])
redis.call('HDEL', KEYS[1], 'until', 'owner')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`);

const RELEASE = createRedisScript(`
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'value') == 1 then return redis.call('HDEL', KEYS[1], 'until', 'owner') end
return redis.call('DEL', KEYS[1])
`);
