import type { Metrics } from './admin/metrics.ts';
import type { IdempotencyStore } from './enrollment/idempotency-store.ts';
import { createMemoryIdempotencyStore } from './enrollment/memory-idempotency-store.ts';
import { createBlockedUntil } from './limits/blocked-until.ts';
import { createGraphBudget } from './limits/graph-budget.ts';
import { createGraphThrottle, type GraphThrottle } from './limits/graph-throttle.ts';
import { createMemoryLimiter } from './limits/memory-limiter.ts';
import type { RedisCreationTurn } from './limits/redis-creation-turn.ts';
import type { Decision, Limiter } from './limits/tier.ts';
import type { Logger } from './log.ts';
import type { Settings } from './settings.ts';

/** What is counted and remembered for all callers: in this process, or in Redis for all replicas. */
export type LimitParts = Readonly<{
  limiter: Limiter;
  throttle: GraphThrottle;
  idempotencyStore: IdempotencyStore;
  /** Absent without Redis. */
  redisCreationTurn?: RedisCreationTurn;
  /** Waits for Redis, where there is one, for a moment: without it the service starts degraded. */
  ready: () => Promise<unknown>;
  /** Tells Redis what is still to be told, and leaves it. */
  close: () => Promise<void>;
}>;

export type LimitPartsOptions = Readonly<{
  /** For tests, instead of the clocks of this process and of Redis: milliseconds since the epoch. */
  now?: () => number;
  /** For tests: milliseconds that Redis may take for an answer. */
  redisDeadlineMs?: number;
}>;

export async function createLimitParts(
  settings: Settings,
  log: Logger,
  metrics: Metrics,
  { now, redisDeadlineMs }: LimitPartsOptions = {},
): Promise<LimitParts> {
  const { redisUrl, rateLimits: limits } = settings;
  const onDecision = ({ states, refusedBy, shadowRefusedBy }: Decision): void => {
    if (shadowRefusedBy.length > 0) log.info('a shadow limit would have refused', { tiers: shadowRefusedBy });
    for (const { tier, kind } of states) {
      if (kind === 'share') continue; // one decision of the tier, with that about the tenant's budget
      const unrefused = shadowRefusedBy.includes(tier) ? 'shadow_refused' : 'passed';
      metrics.limiterDecision(tier, refusedBy.includes(tier) ? 'refused' : unrefused);
    }
  };
  const local = createMemoryIdempotencyStore();
  const clock = now === undefined ? {} : { now };
  if (!redisUrl) {
    const budget = createGraphBudget(clock);
    return {
      limiter: createMemoryLimiter({ limits, onDecision, budget, ...clock }),
      throttle: createGraphThrottle({ blockedUntil: createBlockedUntil(clock), budget }),
      idempotencyStore: local,
      ready: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }

  // Only who uses Redis pays for its client, about 9 MB.
  const { createRedisParts } = await import('./redis-parts.ts');
  return createRedisParts({
    url: redisUrl,
    limits,
    replicas: settings.replicas,
    onFailure: settings.limiterOnFailure,
    degradedMaxSeconds: settings.limiterDegradedMaxSeconds,
    requestDeadlineMs: settings.requestDeadlineMs,
    log,
    local,
    ...clock,
    ...(redisDeadlineMs !== undefined && { deadlineMs: redisDeadlineMs }),
    onDecision,
    onTransition: (state) => metrics.limiterDegraded(state === 'degraded'),
  });
}
