import { TIERS, type Tier, type TierState } from './tier.ts';

/**
 * The `RateLimit-Policy` and `RateLimit` fields of draft-ietf-httpapi-ratelimit-headers: one item a tier, `q` requests per
 * `w` seconds; `r` requests would pass now, the full quota is back in `t` seconds. Shadow tiers are left out: a client
 * that slowed down for a limit nobody enforces would have been told a lie. Empty when no tier is in force.
 */
export function toRateLimitHeaders(states: readonly TierState[]): Readonly<Record<string, string>> {
  const enforced = TIERS.flatMap((tier) => readTightest(tier, states) ?? []);
  if (enforced.length === 0) return {};
  return {
    'RateLimit-Policy': enforced.map(toPolicyItem).join(', '),
    RateLimit: enforced.map(toStateItem).join(', '),
  };
}

/** `Retry-After` in seconds (RFC 9110 section 10.2.3), rounded up and at least 1: never earlier than the real reset. */
export function toRetryAfter(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds)));
}

/** Of several budgets of one tier, the one that would refuse first. */
function readTightest(tier: Tier, states: readonly TierState[]): TierState | undefined {
  return states
    .filter((state) => state.tier === tier && state.enforced)
    .reduce<TierState | undefined>(
      (tightest, state) =>
        tightest === undefined || state.remaining < tightest.remaining ? state : tightest,
      undefined,
    );
}

function toPolicyItem({ tier, limit }: TierState): string {
  return `"${tier}";q=${limit.count};w=${limit.seconds}`;
}

function toStateItem({ tier, remaining, resetSeconds }: TierState): string {
  return `"${tier}";r=${remaining};t=${resetSeconds}`;
}
