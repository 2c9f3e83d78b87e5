export type QuotaOptions = Readonly<{
  /** Requests that pass in any `seconds`. */
  writes: number;
  any: number;
  seconds: number;
  /** Whether the 429 says when to come back; Intune's often does not. */
  retryAfter: boolean;
}>;

/** As Microsoft publishes it for these two types, per application and tenant. */
export const PUBLISHED_QUOTA: QuotaOptions = { writes: 100, any: 1000, seconds: 20, retryAfter: true };

export type Quota = Readonly<{
  /** Counts a request, a throttled one too; gives the seconds to wait if it is refused. */
  charge: (key: string, write: boolean) => number | undefined;
}>;

/** A sliding window that remembers each request. */
export function createQuota({ writes, any, seconds }: QuotaOptions, now: () => number): Quota {
  const arrivals = new Map<string, number[]>();

  const count = (key: string, limit: number): number | undefined => {
    const time = now();
    const recent = (arrivals.get(key) ?? []).filter((at) => at > time - seconds * 1000);
    recent.push(time);
    arrivals.set(key, recent);
    if (recent.length <= limit) return undefined;
    const oldestThatCounts = recent[recent.length - limit] ?? time;
    return Math.max(1, Math.ceil((oldestThatCounts + seconds * 1000 - time) / 1000));
  };

  return {
    charge: (key, write) => {
      const byAny = count(`any ${key}`, any);
      const byWrites = write ? count(`writes ${key}`, writes) : undefined;
      return byWrites ?? byAny;
    },
  };
}
