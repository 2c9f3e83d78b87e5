import { ticksToWait, toRemaining, toSeconds } from './gcra.ts';
import type { Policy } from './policy.ts';
import type { Decision, Tier, TierState } from './tier.ts';

/** One key as the decision found it: its policy, the arrival time that counted, and the ticks of that moment. */
export type Standing = Readonly<{ policy: Policy; arrival: number; now: number }>;

/** Whether the request conforms to this standing's policy. */
export function conforms({ policy, arrival, now }: Standing): boolean {
  return ticksToWait(policy.pace, arrival, now) <= 0;
}

/** Whether a request passes these standings: none but shadow tiers may object. */
export function passes(standings: readonly Standing[]): boolean {
  return standings.every((standing) => standing.policy.limit.shadow || conforms(standing));
}

/** What follows from the standings before the charge; the same for every store. */
export function toDecision(standings: readonly Standing[]): Decision {
  const charged = passes(standings);
  const refusedBy: Tier[] = [];
  const shadowRefusedBy: Tier[] = [];
  const states: TierState[] = [];
  let retryAfterSeconds = 0;
  for (const standing of standings) {
    const { policy, now } = standing;
    const { pace, tier, limit } = policy;
    const conforming = conforms(standing);
    if (!conforming && limit.shadow) shadowRefusedBy.push(tier);
    if (!conforming && !limit.shadow) {
      refusedBy.push(tier);
      const wait = toSeconds(pace, ticksToWait(pace, standing.arrival, now));
      retryAfterSeconds = Math.max(retryAfterSeconds, wait);
    }
    const arrival = charged && conforming ? standing.arrival + pace.interval : standing.arrival;
    const remaining = toRemaining(pace, arrival, now);
    states.push({ tier, limit, remaining, resetSeconds: toSeconds(pace, arrival - now), arrival });
  }
  return { refusedBy, shadowRefusedBy, retryAfterSeconds, states };
}
