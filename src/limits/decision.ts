import { ticksToWait, toSeconds, toStep } from './gcra.ts';
import type { GraphTerms } from './graph-budget.ts';
import type { Line } from './line.ts';
import type { Policy } from './policy.ts';
import type { Decision, LimitKey, Tier, TierState } from './tier.ts';

/** One key as the decision found it: its policy, its line before the charge, and the ticks of that moment. */
export type Standing = Readonly<{
  ask: LimitKey;
  policy: Policy;
  /** Whether it may refuse the request. */
  enforced: boolean;
  /** Ticks the request is charged. */
  step: number;
  line: Pick<Line, 'arrival' | 'refunded'>;
  now: number;
}>;

/** The same for every store, before it has looked. */
export function toStanding<Found extends Standing['line']>(
  ask: LimitKey,
  policy: Policy,
  terms: GraphTerms,
  line: Found,
  now: number,
): Standing & Readonly<{ line: Found }> {
  const step = toStep(policy.pace, isPriced(ask) ? terms.cost : 1);
  return { ask, policy, enforced: isEnforced(ask, policy, terms), step, line, now };
}

/** Whether what it is charged follows from the terms at Graph. */
export function isPriced({ tier, kind }: LimitKey): boolean {
  return tier === 'graph' && kind !== 'read';
}

function isEnforced({ kind }: LimitKey, { limit }: Policy, { othersAsking }: GraphTerms): boolean {
  return !limit.shadow && (kind !== 'share' || othersAsking);
}

/** Whether the request conforms to this standing's policy, enforced or not. */
export function conforms({ policy, line, step, now }: Standing): boolean {
  return ticksToWait(policy.pace, line.arrival, step, now) <= 0;
}

/** Whether a request passes these standings: all that may refuse it conform. */
export function passes(standings: readonly Standing[]): boolean {
  return standings.every((standing) => conforms(standing) || !standing.enforced);
}

/** What follows from the standings before the charge; the same for every store. */
export function toDecision(standings: readonly Standing[], decidedAt: number): Decision {
  const charged = passes(standings);
  const refusedBy: Tier[] = [];
  const shadowRefusedBy: Tier[] = [];
  const states: TierState[] = [];
  let retryAfterSeconds = 0;
  for (const standing of standings) {
    const conforming = conforms(standing);
    if (!conforming) {
      const { policy, enforced, line, step, now } = standing;
      if (policy.limit.shadow) addOnce(shadowRefusedBy, policy.tier);
      if (enforced) {
        addOnce(refusedBy, policy.tier);
        const wait = toSeconds(policy.pace, ticksToWait(policy.pace, line.arrival, step, now));
        retryAfterSeconds = Math.max(retryAfterSeconds, wait);
      }
    }
    states.push(toState(standing, charged && conforming, decidedAt));
  }
  return { refusedBy, shadowRefusedBy, retryAfterSeconds, states };
}

function addOnce(tiers: Tier[], tier: Tier): void {
  if (!tiers.includes(tier)) tiers.push(tier);
}

/** Where a tier stands, after its charge if it was charged. */
export function toState(standing: Standing, charged: boolean, decidedAt: number): TierState {
  const { ask, policy, enforced, step, line, now } = standing;
  const arrival = charged ? line.arrival + step : line.arrival;
  return {
    tier: policy.tier,
    kind: ask.kind,
    enforced,
    limit: policy.limit,
    pace: policy.pace,
    decidedAt,
    charged,
    step,
    arrival,
    refunded: line.refunded,
    now,
  };
}

/** Where this key stood once the decision had charged it, if it had. */
export function readCharged({ tier, kind }: LimitKey, { states }: Decision): TierState | undefined {
  return states.find((state) => state.charged && state.tier === tier && state.kind === kind);
}
