import { createArrivalStore, type ArrivalStore } from './arrival-store.ts';
import { conforms, passes, toDecision, type Standing } from './decision.ts';
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

  const find = ({ key }: LimitKey, policy: Policy, nowMs: number): Found => {
    const store = storeOf(policy);
    const ticks = toTicks(policy.pace, nowMs);
    return { policy, key, store, now: ticks, arrival: toArrival(policy.pace, store.read(key), ticks) };
  };

  return {
    decide: async (keys) => {
      const nowMs = now();
      const found: Found[] = [];
      for (const key of keys) {
        const policy = readPolicy(key);
        if (policy !== undefined) found.push(find(key, policy, nowMs));
      }
      if (passes(found)) for (const standing of found) charge(standing);
      const decision = toDecision(found);
      onDecision?.(decision);
      return decision;
    },
    refund: async (key, { states }) => {
      const policy = readPolicy(key);
      const charged = states.find(({ tier }) => tier === key.tier);
      if (policy === undefined || charged === undefined) return;
      const { store, arrival, now: ticks } = find(key, policy, now());
      store.write(key.key, withoutCharge(policy.pace, arrival, charged.arrival, ticks), ticks);
    },
  };
}

type Found = Standing & Readonly<{ key: string; store: ArrivalStore }>;

function charge(found: Found): void {
  if (!conforms(found)) return; // a shadow tier at its limit
  found.store.write(found.key, found.arrival + found.policy.pace.interval, found.now);
}
