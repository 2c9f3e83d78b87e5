import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { asksToWrite } from './limit-keys.ts';
import { toReason } from './redis-reason.ts';
import { TIERS, type Decision, type Limiter, type RateLimit, type RateLimits } from './tier.ts';

export type FailoverOptions = Readonly<{
  /** Takes over while the shared limiter fails: this process' part of the limits, see `toTwinLimits`. */
  twin: Limiter;
  /** Tries whether the shared store answers and can be written to. */
  probe: () => Promise<void>;
  log: Logger;
  /** Told of each change, for a metric. */
  onTransition?: (state: 'shared' | 'degraded') => void;
  /** What becomes of creates and revokes after `degradedMaxMs`: refused, or let through by the twin. */
  onFailure: 'closed' | 'open';
  degradedMaxMs: number;
  /** Milliseconds between two probes. */
  probeMs?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

export type FailoverLimiter = Limiter & Readonly<{ state: () => 'shared' | 'degraded'; close: () => void }>;

/**
 * The shared limiter while it works, the twin while it does not. The first failure switches for everyone, so that one request
 * at most waits for a deadline; from then on only probes ask the shared store, until one succeeds. After `degradedMaxMs` creates
 * and revokes are refused with ProblemError `limiter_unavailable`, unless `onFailure` is `open`.
 */
export function withFallback(
  shared: Limiter,
  {
    twin,
    probe,
    log,
    onTransition,
    onFailure,
    degradedMaxMs,
    probeMs = 500,
    now = Date.now,
  }: FailoverOptions,
): FailoverLimiter {
  const decidedByTwin = new WeakSet<Decision>();
  let degradedSince: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const scheduleProbe = (): void => {
    if (closed) return;
    timer = setTimeout(() => void probe().then(recover, scheduleProbe), probeMs).unref();
  };

  const degrade = (error: unknown): void => {
    if (degradedSince !== undefined) return;
    degradedSince = now();
    log.warn('Redis cannot be used; each replica now keeps its own part of the limits.', {
      reason: toReason(error),
    });
    onTransition?.('degraded');
    scheduleProbe();
  };

  const recover = (): void => {
    if (closed || degradedSince === undefined) return;
    log.info('Redis can be used again; the limits are shared between replicas.', {
      degradedSeconds: Math.round((now() - degradedSince) / 1000),
    });
    degradedSince = undefined;
    onTransition?.('shared');
  };

  const decideByTwin: Limiter['decide'] = async (keys) => {
    const degradedMs = degradedSince === undefined ? 0 : now() - degradedSince;
    if (onFailure === 'closed' && degradedMs >= degradedMaxMs && asksToWrite(keys)) {
      throw new ProblemError('limiter_unavailable', undefined, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        costsNothing: true,
      });
    }
    const decision = await twin.decide(keys);
    decidedByTwin.add(decision);
    return decision;
  };

  return {
    decide: async (keys) => {
      if (degradedSince !== undefined) return decideByTwin(keys);
      try {
        return await shared.decide(keys);
      } catch (error) {
        degrade(error);
        return decideByTwin(keys);
      }
    },
    refund: async (key, charge) => {
      if (decidedByTwin.has(charge)) return twin.refund(key, charge);
      if (degradedSince !== undefined) return undefined;
      try {
        return await shared.refund(key, charge);
      } catch (error) {
        degrade(error);
        return undefined;
      }
    },
    state: () => (degradedSince === undefined ? 'shared' : 'degraded'),
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Redis is used again within this time of its return. */
const RETRY_AFTER_SECONDS = 5;

/** Each replica's part of the limits: together never more than the whole. */
export function toTwinLimits(limits: RateLimits, replicas: number): RateLimits {
  const parts = TIERS.map((tier) => {
    const limit = limits[tier];
    return [tier, limit === 'off' ? limit : toPart(limit, replicas)] as const;
  });
  return { ...limits, ...Object.fromEntries(parts) };
}

/** A count smaller than the replicas cannot be divided; one request each in a longer time can. */
function toPart({ count, seconds, shadow }: RateLimit, replicas: number): RateLimit {
  return count >= replicas
    ? { count: Math.floor(count / replicas), seconds, shadow }
    : { count: 1, seconds: Math.ceil((seconds * replicas) / count), shadow };
}
