import type { RateLimit } from './tier.ts';

/**
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling): a key is one timestamp, its theoretical arrival
 * time. Time is counted in ticks, whole fractions of a millisecond chosen so that the interval between two requests is
 * a whole number. All sums stay below 2^53, so JavaScript and Redis' Lua, both with doubles, agree to the last tick.
 */
export type Pace = Readonly<{
  ticksPerMs: number;
  /** Ticks between two requests at the steady rate. */
  interval: number;
  /** Ticks until a spent quota is whole again: `count` intervals. */
  window: number;
}>;

/** 2^53 ticks at 2048 a millisecond last until the year 2109. */
const MAX_TICKS_PER_MS = 2048;

/** Exact unless `count` has a factor above 2048 that `seconds` lacks; then an interval is rounded up by less than 0.5 µs. */
export function toPace({ count, seconds }: Pick<RateLimit, 'count' | 'seconds'>): Pace {
  const windowMs = seconds * 1000;
  const ticksPerMs = Math.min(count / greatestCommonDivisor(count, windowMs), MAX_TICKS_PER_MS);
  const interval = Math.ceil((windowMs * ticksPerMs) / count);
  return { ticksPerMs, interval, window: interval * count };
}

/** Milliseconds since the epoch as ticks. */
export function toTicks(pace: Pace, nowMs: number): number {
  return Math.floor(nowMs) * pace.ticksPerMs;
}

/** Ticks by which a request of this cost moves the arrival; at most the whole quota, or it could never pass. */
export function toStep(pace: Pace, cost: number): number {
  return Math.min(cost * pace.interval, pace.window);
}

/** Ticks to wait until a request of this step conforms; 0 or less: it conforms now. */
export function ticksToWait(pace: Pace, arrival: number, step: number, now: number): number {
  return arrival + step - pace.window - now;
}

/** Requests of this step that would pass at `now`. */
export function toRemaining(pace: Pace, arrival: number, step: number, now: number): number {
  return Math.max(0, Math.floor((pace.window - (arrival - now)) / step));
}

/** Whole seconds, rounded up; never negative. */
export function toSeconds(pace: Pace, ticks: number): number {
  return ticks <= 0 ? 0 : Math.ceil(ticks / (pace.ticksPerMs * 1000));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
