import { createArrivalStore, type ArrivalStore } from './arrival-store.ts';
import { conforms, passes, readCharged, toDecision, toStanding, toState, type Standing } from './decision.ts';
import { toArrival, toTicks, withoutCharge } from './gcra.ts';
import { createGraphBudget, USUAL_TERMS, type GraphBudget, type GraphTerms } from './graph-budget.ts';
import { readWriter } from './limit-keys.ts';
import { createPolicies, type Policy } from './policy.ts';
import type { LimitKey, Limiter, OnDecision, RateLimits } from './tier.ts';

export type MemoryLimiterOptions = Readonly<{
  limits: RateLimits;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Keys held per tier, about 150 bytes each. */
  maxKeys?: number;
  onDecision?: OnDecision;
  /** The terms of writes at Graph. */
  budget?: GraphBudget;
}>;

/** The limits of one process: exact, bounded, without timers; a key that has recovered costs nothing to forget. */
export function createMemoryLimiter({
  limits,
  now = Date.now,
  maxKeys = 50_000,
  onDecision,
  budget = createGraphBudget({ now }),
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

  const readTerms = (keys: readonly LimitKey[]): GraphTerms => {
    const writer = readWriter(keys);
    return writer === undefined ? USUAL_TERMS : budget.ask(writer.tenant, writer.application);
  };

  const readArrival = (key: string, policy: Policy, ticks: number): number =>
    toArrival(policy.pace, storeOf(policy).read(key), ticks);

  const find = (ask: LimitKey, policy: Policy, terms: GraphTerms, nowMs: number): Standing => {
    const ticks = toTicks(policy.pace, nowMs);
    return toStanding(ask, policy, terms, readArrival(ask.key, policy, ticks), ticks);
  };

  const charge = ({ ask, policy, arrival, step, now }: Standing): void =>
    storeOf(policy).write(ask.key, arrival + step, now);

  return {
    decide: async (keys) => {
      const nowMs = now();
      const terms = readTerms(keys);
      const standings: Standing[] = [];
      for (const key of keys) {
        const policy = readPolicy(key);
        if (policy !== undefined) standings.push(find(key, policy, terms, nowMs));
      }
      if (passes(standings)) for (const standing of standings) if (conforms(standing)) charge(standing);
      const decision = toDecision(standings);
      onDecision?.(decision);
      return decision;
    },
    refund: async (ask, decision) => {
      const policy = readPolicy(ask);
      const charged = readCharged(ask, decision);
      if (policy === undefined || charged === undefined) return undefined;
      const { step, enforced } = charged;
      const ticks = toTicks(policy.pace, now());
      const stored = readArrival(ask.key, policy, ticks);
      const arrival = Math.max(withoutCharge(stored, charged.arrival, step, ticks), ticks);
      storeOf(policy).write(ask.key, arrival, ticks);
      return toState({ ask, policy, enforced, step, arrival, now: ticks }, false);
    },
  };
}
