import type { LimitKey, RateLimits } from '../../src/limits/tier.ts';

/** So slow that nothing comes back while a test runs. */
const DAY = 86_400;

export const BURST_LIMIT = 40;

export const BURST_LIMITS: RateLimits = {
  address: 'off',
  user: { count: BURST_LIMIT, seconds: DAY, shadow: false },
  client: 'off',
  tenant: { count: 10_000, seconds: DAY, shadow: false },
  profile: 'off',
  graph: { count: 1000, seconds: DAY, shadow: false },
};

export function toBurstKeys(key: string): readonly LimitKey[] {
  return [
    { tier: 'user', key },
    { tier: 'tenant', key },
    { tier: 'graph', key },
  ];
}
