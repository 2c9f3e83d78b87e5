import { createArrivalStore, type ArrivalStore } from './arrival-store.ts';
import { conforms, passes, readCharged, toDecision, toStanding, toState, type Standing } from './decision.ts';
import { toArrival, toTicks, withoutCharge } from './gcra.ts';
import { createPolicies, type Policy } from './policy.ts';
import type { LimitKey, Limiter, OnDecision, RateLimits } from './tier.ts';

export type MemoryLimiterOptions = Readonly<{
  limits: RateLimits;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Keys held per tier, about 150 bytes each. */
  maxKeys?: number;
  onDecision?: OnDecision;
}>;

/** The limits of one process: exact, bounded, without timers; a key that has recovered costs nothing to forget. */
export function createMemoryLimiter({
  limits,
  now = Date.now,
  maxKeys = 50_000,
  onDecision,
}: MemoryLimiterOptions): Limiter {
  const readPolicy = createPolicies(limits);
  const stores = new Map<string, ArrivalStore>();

  const storeOf = ({ id, pace }: Policy): ArrivalStore => {
    const known = stores.get(id);
    if (known !== undefined) return known;
    const store = createArrivalStore({ maxKeys, window: pace.window });
    stores.set(id, store);
    return store;
  };

  const find = (ask: LimitKey, policy: Policy, nowMs: number): Standing => {
    const now = toTicks(policy.pace, nowMs);
    return toStanding(ask, policy, toArrival(policy.pace, storeOf(policy).read(ask.key), now), now);
  };

  const charge = ({ ask, policy, arrival, step, now }: Standing): void =>
    storeOf(policy).write(ask.key, arrival + step, now);

  return {
    decide: async (keys) => {
      const nowMs = now();
      const standings: Standing[] = [];
      for (const key of keys) {
        const policy = readPolicy(key);
        if (policy !== undefined) standings.push(find(key, policy, nowMs));
      }
      if (passes(standings)) for (const standing of standings) if (conforms(standing)) charge(standing);
      const decision = toDecision(standings);
      onDecision?.(decision);
      return decision;
    },
    refund: async (key, decision) => {
      const policy = readPolicy(key);
      const charged = readCharged(key, decision);
      if (policy === undefined || charged === undefined) return undefined;
      const standing = find(key, policy, now());
      const { step, now: ticks } = standing;
      const arrival = withoutCharge(standing.arrival, charged, step, ticks);
      storeOf(policy).write(key.key, arrival, ticks);
      return toState({ ...standing, arrival: Math.max(arrival, ticks) }, false);
    },
  };
}
