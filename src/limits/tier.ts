import type { Pace } from './gcra.ts';
import type { LineCharge } from './line.ts';

export const TIERS = ['address', 'user', 'client', 'tenant', 'profile', 'graph'] as const;
export type Tier = (typeof TIERS)[number];

/** `count` requests per `seconds`; a shadow limit counts and refuses nothing. */
export type RateLimit = Readonly<{ count: number; seconds: number; shadow: boolean }>;

export type RateLimits = Readonly<Record<Tier, RateLimit | 'off'>>;

/**
 * The graph tier has two more budgets beside the tenant's for writes: `read`, ten times as large, for reads; and `share`, the
 * part of the budget for writes that one calling application may take from the others.
 */
export type LimitKind = 'read' | 'share';

/** What is asked to pass: one key in one tier. */
export type LimitKey = Readonly<{
  tier: Tier;
  key: string;
  kind?: LimitKind;
}>;

/** Where one tier stands after a decision, for the RateLimit headers; see tier-state.ts. */
export type TierState = Readonly<{
  tier: Tier;
  kind: LimitKind | undefined;
  /** Whether it could have refused: neither a shadow tier, nor the share of the only application that asks. */
  enforced: boolean;
  /** The tier's policy. */
  limit: RateLimit;
  pace: Pace;
  /** Milliseconds since the epoch by this process' clock: not before the decision, nor much later. */
  decidedAt: number;
  /** Whether the request was charged here. */
  charged: boolean;
}> &
  LineCharge; // in the limiter's own ticks: what `refund` needs to be exact

export type Decision = Readonly<{
  /** Tiers that refuse; empty when all pass (then, and only then, all were charged 1). */
  refusedBy: readonly Tier[];
  /** Shadow tiers that would have refused. They were not charged, as enforced ones would not have been. */
  shadowRefusedBy: readonly Tier[];
  /** Whole seconds, rounded up, until the same request would pass; 0 when it did. */
  retryAfterSeconds: number;
  states: readonly TierState[];
}>;

/** All keys pass and all are charged, or none is. On what terms writes at Graph are given is part of the decision. */
export type Limiter = Readonly<{
  decide: (keys: readonly LimitKey[]) => Promise<Decision>;
  /**
   * Gives one request back to a tier that was charged before another step refused the request. `charge` is the
   * decision that charged it: what of the charge has lapsed since is not given back. Where the tier stands then;
   * `undefined` if nothing was charged, or the store could not be asked.
   */
  refund: (key: LimitKey, charge: Decision) => Promise<TierState | undefined>;
  /** Where these keys stand by what this process counts itself. Charges nothing. */
  peek: (keys: readonly LimitKey[]) => readonly TierState[];
}>;

/** A limiter that counts for all replicas and nothing in this process. */
export type SharedLimiter = Omit<Limiter, 'peek'>;

/** Told of every decision, for metrics and logs. */
export type OnDecision = (decision: Decision) => void;
