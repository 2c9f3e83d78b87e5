export const TIERS = ['address', 'user', 'client', 'tenant', 'profile', 'graph'] as const;
export type Tier = (typeof TIERS)[number];

/** `count` requests per `seconds`; a shadow limit counts and refuses nothing. */
export type RateLimit = Readonly<{ count: number; seconds: number; shadow: boolean }>;

export type RateLimits = Readonly<Record<Tier, RateLimit | 'off'>>;

/** What is asked to pass: one key in one tier. */
export type LimitKey = Readonly<{ tier: Tier; key: string }>;

/** Where one tier stands after a decision, for the RateLimit headers. */
export type TierState = Readonly<{
  tier: Tier;
  /** The tier's policy. */
  limit: RateLimit;
  /** Requests that would pass right now. */
  remaining: number;
  /** Whole seconds, rounded up, until the full quota is back. */
  resetSeconds: number;
}>;

export type Decision = Readonly<{
  /** Tiers that refuse; empty when all pass (then, and only then, all were charged 1). */
  refusedBy: readonly Tier[];
  /** Whole seconds, rounded up, until the same request would pass; 0 when it did. */
  retryAfterSeconds: number;
  states: readonly TierState[];
}>;

/** All keys pass and all are charged, or none is. */
export type Limiter = Readonly<{
  decide: (keys: readonly LimitKey[]) => Promise<Decision>;
  /** Gives one request back to a tier that was charged before another step refused the request. */
  refund: (key: LimitKey) => Promise<void>;
}>;
