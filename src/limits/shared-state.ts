import type { Logger } from '../log.ts';
import type { Secret } from '../secret.ts';
import {
  toTwinLimits,
  withFallback,
  type FailoverLimiter,
  type FailoverOptions,
} from './failover-limiter.ts';
import type { GraphBudget } from './graph-budget.ts';
import { createMemoryLimiter } from './memory-limiter.ts';
import {
  createRedisConnection,
  type RedisConnection,
  type RedisConnectionOptions,
  type RunScript,
} from './redis-connection.ts';
import { createRedisLimiter } from './redis-limiter.ts';
import { createRedisProbe } from './redis-probe.ts';
import type { OnDecision, RateLimits } from './tier.ts';

export type SharedStateOptions = Readonly<{
  /** REDIS_URL; holds a password, perhaps. */
  url: Secret;
  limits: RateLimits;
  /** How many processes share the limits: REPLICAS. */
  replicas: number;
  /** LIMITER_ON_FAILURE */
  onFailure: FailoverOptions['onFailure'];
  /** LIMITER_DEGRADED_MAX_SECONDS */
  degradedMaxSeconds: number;
  log: Logger;
  onDecision?: OnDecision;
  /** The terms of writes at Graph while Redis is gone. */
  budget?: GraphBudget;
  onTransition?: FailoverOptions['onTransition'];
  /** Instead of the clocks of this process and of Redis, for tests: milliseconds since the epoch. */
  now?: () => number;
  /** Milliseconds that Redis may take for an answer. */
  deadlineMs?: RedisConnectionOptions['deadlineMs'];
}>;

/** What the replicas share through Redis. */
export type SharedState = Readonly<{
  limiter: FailoverLimiter;
  /** For the other things that are shared; rejects at once while Redis is known to be gone. */
  run: RunScript;
  ready: RedisConnection['ready'];
  close: () => void;
}>;

/** Connects at once. Throws a RangeError for a URL or limits that make no sense. */
export function createSharedState(options: SharedStateOptions): SharedState {
  const { url, limits, replicas, onFailure, degradedMaxSeconds, log, onDecision, onTransition, budget } =
    options;
  const { now, deadlineMs } = options;
  const connection = createRedisConnection({ url, ...(deadlineMs !== undefined && { deadlineMs }) });
  const common = { ...(onDecision && { onDecision }), ...(now && { now }) };
  const limiter = withFallback(createRedisLimiter({ limits, run: connection.run, ...common }), {
    twin: createMemoryLimiter({
      limits: toTwinLimits(limits, replicas),
      ...common,
      ...(budget && { budget }),
    }),
    probe: createRedisProbe(connection.run),
    log,
    onFailure,
    degradedMaxMs: degradedMaxSeconds * 1000,
    ...(now && { now }),
    ...(onTransition && { onTransition }),
  });
  return {
    limiter,
    run: async (...command) => {
      if (limiter.state() === 'degraded') throw new Error('Redis is known to be gone');
      try {
        return await connection.run(...command);
      } catch (error) {
        limiter.degrade(error);
        throw error;
      }
    },
    ready: connection.ready,
    close: () => {
      limiter.close();
      connection.close();
    },
  };
}
