import { toRemaining, toSeconds } from './gcra.ts';
import type { TierState } from './tier.ts';

/** Requests that would pass now, in milliseconds since the epoch; at the time of the decision unless given. */
export function readRemaining(state: TierState, now = state.decidedAt): number {
  const ticks = toTicksAt(state, now);
  return toRemaining(state.pace, Math.max(state.arrival, ticks), state.step, ticks);
}

/** Whole seconds, rounded up, until the full quota is back. */
export function readResetSeconds(state: TierState, now = state.decidedAt): number {
  return toSeconds(state.pace, state.arrival - toTicksAt(state, now));
}

/** By the clock of the decision, which need not be this process' own. */
function toTicksAt({ pace, now: decidedTicks, decidedAt }: TierState, now: number): number {
  return decidedTicks + Math.floor(Math.max(0, now - decidedAt)) * pace.ticksPerMs;
}
