import { LATE_ACT } from './enrollment/creation-window.ts';
import { KEY_LIFETIME, type IdempotencyStore } from './enrollment/idempotency-store.ts';
import { createSharedIdempotencyStore } from './enrollment/shared-idempotency-store.ts';
import type { LimitParts } from './limit-parts.ts';
import { createBlockedUntil } from './limits/blocked-until.ts';
import { createGraphBudget } from './limits/graph-budget.ts';
import { createGraphThrottle } from './limits/graph-throttle.ts';
import { createRedisBlockedUntil } from './limits/redis-blocked-until.ts';
import { createRedisClaims } from './limits/redis-claims.ts';
import { createRedisCreationTurn } from './limits/redis-creation-turn.ts';
import { createSharedState, type SharedStateOptions } from './limits/shared-state.ts';

export type RedisPartsOptions = Omit<SharedStateOptions, 'budget'> &
  Readonly<{
    /** Milliseconds in which a request is over. */
    requestDeadlineMs: number;
    /** What this process knows of idempotency keys. */
    local: IdempotencyStore;
  }>;

/** Milliseconds that a start waits for Redis. */
const REDIS_START_MS = 1000;
/** Milliseconds beyond the deadline of a request after which its claim counts as abandoned. */
const CLAIM_MARGIN_MS = 5000;

/** The same parts, shared by all replicas. */
export function createRedisParts({ requestDeadlineMs, local, ...options }: RedisPartsOptions): LimitParts {
  const clock = options.now === undefined ? {} : { now: options.now };
  const budget = createGraphBudget(clock);
  const { limiter, run, ready, close } = createSharedState({ ...options, budget });
  const claims = createRedisClaims({
    run,
    lifetimeMs: KEY_LIFETIME,
    underWayMs: requestDeadlineMs + CLAIM_MARGIN_MS,
  });
  const idempotencyStore = createSharedIdempotencyStore({ claims, local });
  return {
    limiter,
    throttle: createGraphThrottle({
      blockedUntil: createRedisBlockedUntil({ run, local: createBlockedUntil(clock), ...clock }),
      budget,
    }),
    redisCreationTurn: createRedisCreationTurn({ run, lifetimeMs: KEY_LIFETIME, lateMs: LATE_ACT }),
    idempotencyStore,
    ready: () => ready(Math.max(REDIS_START_MS, options.deadlineMs ?? 0)),
    close: async () => {
      await idempotencyStore.close();
      close();
    },
  };
}
