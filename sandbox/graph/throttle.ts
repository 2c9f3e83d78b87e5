import type { GraphTokenRecord } from '../entra/graph-tokens.ts';
import { toJsonAnswer, type Answer } from '../http/answer.ts';
import { toIntuneError } from './error-body.ts';
import { createQuota, PUBLISHED_QUOTA, type QuotaOptions } from './quota.ts';

/** Default: as published. `off` for load tests. */
export type ThrottleSetting = Partial<QuotaOptions> | 'off';

/** Counts a request on the quota of its tenant and application; the 429 if that is spent. */
export type Throttle = (token: GraphTokenRecord, write: boolean, requestId: string) => Answer | undefined;

export function createThrottle(
  setting: ThrottleSetting,
  { canary, now }: Readonly<{ canary: string; now: () => number }>,
): Throttle {
  if (setting === 'off') return () => undefined;
  const options = { ...PUBLISHED_QUOTA, ...setting };
  const quota = createQuota(options, now);

  return ({ tenantId, clientId }, write, requestId) => {
    const wait = quota.charge(`${tenantId} ${clientId}`, write);
    if (wait === undefined) return undefined;
    const body = toIntuneError(429, requestId, { message: 'Too many requests', retryAfter: wait, canary });
    return toJsonAnswer(429, body, options.retryAfter ? { 'retry-after': String(wait) } : {});
  };
}
