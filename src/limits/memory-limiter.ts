import { createLineStore, type LineStore } from './line-store.ts';
import { conforms, passes, readCharged, toDecision, toStanding, toState, type Standing } from './decision.ts';
import { toTicks } from './gcra.ts';
import { createGraphBudget, USUAL_TERMS, type GraphBudget, type GraphTerms } from './graph-budget.ts';
import { readWriter } from './limit-keys.ts';
import { toLine, withCharge, withoutCharge, type Line } from './line.ts';
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

type Found = Standing & Readonly<{ line: Line }>;

/** The limits of one process: exact, bounded, without timers; a key that has recovered costs nothing to forget. */
export function createMemoryLimiter({
  limits,
  now = Date.now,
  maxKeys = 50_000,
  onDecision,
  budget = createGraphBudget({ now }),
}: MemoryLimiterOptions): Limiter {
  const readPolicy = createPolicies(limits);
  const stores = new Map<string, LineStore>();

  const storeOf = ({ id, pace }: Policy): LineStore => {
    const known = stores.get(id);
    if (known !== undefined) return known;
    const store = createLineStore({ maxKeys, window: pace.window });
    stores.set(id, store);
    return store;
  };

  const readTerms = (keys: readonly LimitKey[], read: GraphBudget['look']): GraphTerms => {
    const writer = readWriter(keys);
    return writer === undefined ? USUAL_TERMS : read(writer.tenant, writer.application);
  };

  const readLine = (key: string, policy: Policy, ticks: number): Line =>
    toLine(policy.pace, storeOf(policy).read(key), ticks);

  const find = (ask: LimitKey, policy: Policy, terms: GraphTerms, nowMs: number): Found => {
    const ticks = toTicks(policy.pace, nowMs);
    return toStanding(ask, policy, terms, readLine(ask.key, policy, ticks), ticks);
  };

  const findAll = (keys: readonly LimitKey[], terms: GraphTerms, nowMs: number): readonly Found[] => {
    const standings: Found[] = [];
    for (const key of keys) {
      const policy = readPolicy(key);
      if (policy !== undefined) standings.push(find(key, policy, terms, nowMs));
    }
    return standings;
  };

  const charge = ({ ask, policy, line, step, now }: Found): void =>
    storeOf(policy).write(ask.key, withCharge(line, step), now);

  return {
    decide: async (keys) => {
      const nowMs = now();
      const standings = findAll(keys, readTerms(keys, budget.ask), nowMs);
      if (passes(standings)) for (const standing of standings) if (conforms(standing)) charge(standing);
      const decision = toDecision(standings, nowMs);
      onDecision?.(decision);
      return decision;
    },
    peek: (keys) => {
      const nowMs = now();
      return findAll(keys, readTerms(keys, budget.look), nowMs).map((standing) =>
        toState(standing, false, nowMs),
      );
    },
    refund: async (ask, decision) => {
      const policy = readPolicy(ask);
      const charged = readCharged(ask, decision);
      if (policy === undefined || charged === undefined) return undefined;
      const { step, enforced } = charged;
      const nowMs = now();
      const ticks = toTicks(policy.pace, nowMs);
      const line = withoutCharge(readLine(ask.key, policy, ticks), charged, ticks);
      storeOf(policy).write(ask.key, line, ticks);
      return toState({ ask, policy, enforced, step, line, now: ticks }, false, nowMs);
    },
  };
}
