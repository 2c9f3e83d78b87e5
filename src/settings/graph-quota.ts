import type { RateLimit } from '../limits/tier.ts';

/** Writes that Graph takes for one application and tenant in so many seconds (facts, section 2). */
const QUOTA = { writes: 100, seconds: 20 };

/** Whether a limit of writes lets more through than Graph takes, its burst on top of its steady rate. Switched off is meant so. */
export function exceedsGraphQuota(limit: RateLimit | 'off'): boolean {
  if (limit === 'off') return false;
  const { count, seconds } = limit;
  return count + (count / seconds) * QUOTA.seconds > QUOTA.writes;
}
