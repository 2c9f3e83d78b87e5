import type { Pace } from './gcra.ts';

/**
 * What a store keeps of one key: its charges as they lie one behind the other, in ticks, and what was taken out of them. Charges
 * lapse from the front, one tick a tick.
 */
export type Line = Readonly<{
  /** The theoretical arrival time: where the line ends. */
  arrival: number;
  /** When it was empty last; what was charged earlier has lapsed or was given back. */
  since: number;
  /** Ticks given back since then. */
  refunded: number;
  /** Where in the line they lay, counted from its begin as if nothing had been given back: begin, end, begin, end, … */
  holes: readonly number[];
}>;

/** A charge as its line stood right after it. */
export type LineCharge = Readonly<{ step: number; arrival: number; refunded: number; now: number }>;

/** Of more, the foremost are taken for lapsed: what lies before them is then given back in part only. */
export const MOST_HOLES = 16;

const NO_HOLES: readonly number[] = [];

/**
 * The stored line as it counts at `now`: an empty one has no past. One that ends more than two windows ahead was written before
 * the clock was set back and counts as empty: nobody is locked out for longer.
 */
export function toLine({ window }: Pace, stored: Line | undefined, now: number): Line {
  return stored === undefined || stored.arrival <= now || stored.arrival > now + 2 * window
    ? { arrival: now, since: now, refunded: 0, holes: NO_HOLES }
    : stored;
}

export function withCharge({ arrival, since, refunded, holes }: Line, step: number): Line {
  return { arrival: arrival + step, since, refunded, holes };
}

/**
 * The line without a charge, where that has not lapsed: taking off all of it would turn time that the key spent idle into quota
 * beyond the full one. What lies before the charge and was given back has moved it to the front, so that it lapsed earlier.
 */
export function withoutCharge(line: Line, charge: LineCharge, now: number): Line {
  if (charge.now < line.since) return line;
  const end = charge.arrival - line.since + charge.refunded;
  let behind = 0;
  for (const [from, to] of toPairs(line.holes)) {
    if (from < end && end <= to) return line; // given back before
    if (to > end) behind += to - from;
  }
  const left = end - (line.refunded - behind) - (now - line.since);
  const owed = Math.max(0, Math.min(left, charge.step));
  if (owed === 0) return line;
  const refunded = line.refunded + owed;
  return {
    arrival: line.arrival - owed,
    since: line.since,
    refunded,
    holes: withoutLapsed(withHole(line.holes, end - owed, end), refunded, now - line.since),
  };
}

/** In order, and one with what it touches: refunds of neighbours are one hole. */
function withHole(holes: readonly number[], from: number, to: number): readonly number[] {
  const merged: number[] = [];
  for (const [begin, end] of toPairs([...holes, from, to]).toSorted(([a], [b]) => a - b)) {
    if (merged.at(-1) === begin) merged[merged.length - 1] = end;
    else merged.push(begin, end);
  }
  return merged;
}

/** A hole before which everything has lapsed lies before whatever is still given back: it need not be remembered where. */
function withoutLapsed(holes: readonly number[], refunded: number, lapsed: number): readonly number[] {
  let behind = 0;
  const left: number[] = [];
  for (const [from, to] of toPairs(holes).slice(-MOST_HOLES).toReversed()) {
    if (to - (refunded - behind) <= lapsed) break;
    left.unshift(from, to);
    behind += to - from;
  }
  return left;
}

function toPairs(holes: readonly number[]): readonly (readonly [number, number])[] {
  return Array.from({ length: holes.length / 2 }, (_, index) => [
    holes[2 * index] ?? 0,
    holes[2 * index + 1] ?? 0,
  ]);
}
