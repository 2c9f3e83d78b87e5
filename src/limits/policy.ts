import { toPace, type Pace } from './gcra.ts';
import type { LimitKey, LimitKind, RateLimit, RateLimits, Tier } from './tier.ts';

/** One budget as it is enforced. `id` names it in stores: a changed limit starts from a full quota. */
export type Policy = Readonly<{ id: string; tier: Tier; limit: RateLimit; pace: Pace }>;

/** Graph admits ten times as many requests of any kind as it admits writes. */
const READS_PER_WRITE = 10;

/** What one calling application may take of the budget for writes while others are asking. */
const SHARE = 0.7;

/** The policy a key is decided by; `undefined` where the tier is off. */
export type ReadPolicy = (key: LimitKey) => Policy | undefined;

/** Throws a RangeError for a count or a time that is no positive whole number. */
export function createPolicies(limits: RateLimits): ReadPolicy {
  const policies: Readonly<Record<Tier, Policy | undefined>> = {
    address: toPolicy('address', limits.address),
    user: toPolicy('user', limits.user),
    client: toPolicy('client', limits.client),
    tenant: toPolicy('tenant', limits.tenant),
    profile: toPolicy('profile', limits.profile),
    graph: toPolicy('graph', limits.graph),
  };
  const kinds: Readonly<Record<LimitKind, Policy | undefined>> = {
    read: toPolicy('graph', scale(limits.graph, READS_PER_WRITE), 'graph-read'),
    share: toPolicy('graph', scale(limits.graph, SHARE), 'graph-share'),
  };
  return ({ tier, kind }) => (kind === undefined ? policies[tier] : kinds[kind]);
}

function scale(limit: RateLimit | 'off', factor: number): RateLimit | 'off' {
  return limit === 'off' ? 'off' : { ...limit, count: Math.max(1, Math.floor(limit.count * factor)) };
}

function toPolicy(tier: Tier, limit: RateLimit | 'off', name: string = tier): Policy | undefined {
  if (limit === 'off') return undefined;
  const { count, seconds } = limit;
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seconds) || seconds < 1) {
    throw new RangeError(`the ${tier} limit must be whole numbers from 1, not ${count}/${seconds}`);
  }
  return { id: `${name}:${count}/${seconds}`, tier, limit, pace: toPace(limit) };
}
