import type { Metrics } from './admin/metrics.ts';
import type { IdempotencyStore } from './enrollment/idempotency-store.ts';
import { KEY_LIFETIME } from './enrollment/idempotency-store.ts';
import { createMemoryIdempotencyStore } from './enrollment/memory-idempotency-store.ts';
import { createSharedIdempotencyStore } from './enrollment/shared-idempotency-store.ts';
import { createBlockedUntil } from './limits/blocked-until.ts';
import { createGraphThrottle, type GraphThrottle } from './limits/graph-throttle.ts';
import { createMemoryLimiter } from './limits/memory-limiter.ts';
import { createRedisBlockedUntil } from './limits/redis-blocked-until.ts';
import { createRedisClaims } from './limits/redis-claims.ts';
import { createSharedState } from './limits/shared-state.ts';
import type { Decision, Limiter } from './limits/tier.ts';
import type { Logger } from './log.ts';
import type { Settings } from './settings.ts';

/** What is counted and remembered for all callers: in this process, or in Redis for all replicas. */
export type LimitParts = Readonly<{
  limiter: Limiter;
  throttle: GraphThrottle;
  idempotencyStore: IdempotencyStore;
  /** Waits for Redis, where there is one, for a moment: without it the service starts degraded. */
  ready: () => Promise<unknown>;
  close: () => void;
}>;

/** Milliseconds that a start waits for Redis. */
const REDIS_START_MS = 1000;
/** Milliseconds beyond the deadline of a request after which its claim counts as abandoned. */
const CLAIM_MARGIN_MS = 5000;

export function createLimitParts(settings: Settings, log: Logger, metrics: Metrics): LimitParts {
  const { redisUrl, rateLimits: limits } = settings;
  const onDecision = ({ states, refusedBy, shadowRefusedBy }: Decision): void => {
    for (const { tier } of states) {
      const unrefused = shadowRefusedBy.includes(tier) ? 'shadow_refused' : 'passed';
      metrics.limiterDecision(tier, refusedBy.includes(tier) ? 'refused' : unrefused);
    }
  };
  const local = createMemoryIdempotencyStore();
  if (!redisUrl) {
    return {
      limiter: createMemoryLimiter({ limits, onDecision }),
      throttle: createGraphThrottle(),
      idempotencyStore: local,
      ready: () => Promise.resolve(),
      close: () => {},
    };
  }

  const { limiter, run, ready, close } = createSharedState({
    url: redisUrl,
    limits,
    replicas: settings.replicas,
    onFailure: settings.limiterOnFailure,
    degradedMaxSeconds: settings.limiterDegradedMaxSeconds,
    log,
    onDecision,
    onTransition: (state) => metrics.limiterDegraded(state === 'degraded'),
  });
  const claims = createRedisClaims({
    run,
    lifetimeMs: KEY_LIFETIME,
    underWayMs: settings.requestDeadlineMs + CLAIM_MARGIN_MS,
  });
  return {
    limiter,
    throttle: createGraphThrottle({
      blockedUntil: createRedisBlockedUntil({ run, local: createBlockedUntil() }),
    }),
    idempotencyStore: createSharedIdempotencyStore({ claims, local }),
    ready: () => ready(REDIS_START_MS),
    close,
  };
}
