import { readRemaining, readResetSeconds } from './tier-state.ts';
import { TIERS, type Tier, type TierState } from './tier.ts';

/**
 * The `RateLimit-Policy` and `RateLimit` fields of draft-ietf-httpapi-ratelimit-headers: one item a tier, `q` requests per
 * `w` seconds; `r` requests would pass at `now`, in milliseconds since the epoch, the full quota is back in `t` seconds. Shadow tiers are left out: a client
 * that slowed down for a limit nobody enforces would have been told a lie. Empty when no tier is in force.
 */
export function toRateLimitHeaders(
  states: readonly TierState[],
  now: number,
): Readonly<Record<string, string>> {
  let policies = '';
  let standings = '';
  for (const tier of TIERS) {
    const tightest = readTightest(tier, states, now);
    if (tightest === undefined) continue;
    const separator = policies === '' ? '' : ', ';
    policies += separator + toPolicyItem(tightest);
    standings += separator + toStateItem(tightest, now);
  }
  return policies === '' ? {} : { 'RateLimit-Policy': policies, RateLimit: standings };
}

/** `Retry-After` in seconds (RFC 9110 section 10.2.3), rounded up and at least 1: never earlier than the real reset. */
export function toRetryAfter(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds)));
}

/** Of several budgets of one tier, the one that would refuse first. */
function readTightest(tier: Tier, states: readonly TierState[], now: number): TierState | undefined {
  let tightest: TierState | undefined;
  let least = Infinity;
  for (const state of states) {
    if (state.tier !== tier || !state.enforced) continue;
    const remaining = readRemaining(state, now);
    if (remaining >= least) continue;
    tightest = state;
    least = remaining;
  }
  return tightest;
}

function toPolicyItem({ tier, limit }: TierState): string {
  return `"${tier}";q=${limit.count};w=${limit.seconds}`;
}

function toStateItem(state: TierState, now: number): string {
  return `"${state.tier}";r=${readRemaining(state, now)};t=${readResetSeconds(state, now)}`;
}
