import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { asksToWrite } from './limit-keys.ts';
import { toReason } from './redis-reason.ts';
import {
  TIERS,
  type Decision,
  type Limiter,
  type RateLimit,
  type RateLimits,
  type SharedLimiter,
} from './tier.ts';

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
  /** Milliseconds for which Redis must have worked before it counts as well again. */
  settledMs?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

export type FailoverLimiter = Limiter &
  Readonly<{
    state: () => 'shared' | 'degraded';
    /** Redis failed somebody else. */
    degrade: (error: unknown) => void;
    close: () => void;
  }>;

/**
 * The shared limiter while it works, the twin while it does not. The first failure switches for everyone, so that one request
 * at most waits for a deadline; from then on only probes ask the shared store, until one succeeds. After `degradedMaxMs` creates
 * and revokes are refused with ProblemError `limiter_unavailable`, unless `onFailure` is `open`. A Redis that works now and then
 * only counts as gone from its first failure on, and is logged once.
 */
export function withFallback(
  shared: SharedLimiter,
  {
    twin,
    probe,
    log,
    onTransition,
    onFailure,
    degradedMaxMs,
    probeMs = 500,
    settledMs = 10_000,
    now = Date.now,
  }: FailoverOptions,
): FailoverLimiter {
  const decidedByTwin = new WeakSet<Decision>();
  let isDegraded = false;
  let hasRelapsed = false;
  /** The first failure that was not followed by `settledMs` without one. */
  let failingSince: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const scheduleProbe = (): void => {
    if (closed) return;
    timer = setTimeout(() => void probe().then(recover, scheduleProbe), probeMs).unref();
  };

  const logFailure = (error: unknown): void => {
    const reason = toReason(error);
    if (failingSince === undefined) {
      log.warn('Redis cannot be used; each replica now keeps its own part of the limits.', { reason });
    } else if (!hasRelapsed) {
      hasRelapsed = true;
      log.warn('Redis fails again soon after its return; it is logged next when it works for good.', {
        reason,
      });
    }
  };

  const logReturn = (): void =>
    log.info('Redis can be used again; the limits are shared between replicas.', {
      degradedSeconds: Math.round((now() - (failingSince ?? now())) / 1000),
    });

  const degrade = (error: unknown): void => {
    if (closed || isDegraded) return;
    clearTimeout(timer);
    logFailure(error);
    isDegraded = true;
    failingSince ??= now();
    onTransition?.('degraded');
    scheduleProbe();
  };

  const recover = (): void => {
    if (closed) return;
    if (!hasRelapsed) logReturn();
    isDegraded = false;
    onTransition?.('shared');
    timer = setTimeout(settle, settledMs).unref();
  };

  const settle = (): void => {
    if (hasRelapsed) logReturn();
    hasRelapsed = false;
    failingSince = undefined;
  };

  const decideByTwin: Limiter['decide'] = async (keys) => {
    const degradedMs = failingSince === undefined ? 0 : now() - failingSince;
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
      if (isDegraded) return decideByTwin(keys);
      try {
        return await shared.decide(keys);
      } catch (error) {
        degrade(error);
        return decideByTwin(keys);
      }
    },
    refund: async (key, charge) => {
      if (decidedByTwin.has(charge)) return twin.refund(key, charge);
      if (isDegraded) return undefined;
      try {
        return await shared.refund(key, charge);
      } catch (error) {
        degrade(error);
        return undefined;
      }
    },
    peek: twin.peek,
    state: () => (isDegraded ? 'degraded' : 'shared'),
    degrade,
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
