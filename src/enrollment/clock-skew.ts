import type { GraphAnswer } from '../graph/graph-answer.ts';

/** The least and the most milliseconds by which Graph's clock is ahead of ours. */
export type ClockSkew = Readonly<{ least: number; most: number }>;

const NONE: ClockSkew = { least: 0, most: 0 };
const ANY: ClockSkew = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
/** Milliseconds after which, at most doubled, an answer says nothing any more: clocks drift, by some 0.1 ms a second. */
const AGE = 60_000;

const isPossible = ({ least, most }: ClockSkew): boolean => least <= most;

const intersect = (one: ClockSkew, other: ClockSkew): ClockSkew => ({
  least: Math.max(one.least, other.least),
  most: Math.min(one.most, other.most),
});

/** What the answers of one Graph tell of its clock. */
export type SkewEstimate = Readonly<{
  /** Takes one more answer; tells what is known with it. Milliseconds since the epoch. */
  observe: (answer: Pick<GraphAnswer, 'date'>, askedAt: number, answeredAt: number) => ClockSkew;
}>;

/**
 * Graph's `Date` is written in whole seconds at some moment of the call: alone it leaves more than a second open. What all answers of
 * the last minute or two allow is as narrow as a round trip as soon as some of them fell close to the turn of a second. Where nothing fits all
 * of them, a clock was set, and it begins anew. Clocks that may agree are taken to agree.
 */
export function createSkewEstimate(): SkewEstimate {
  let since = Number.NEGATIVE_INFINITY;
  let older = ANY;
  let younger = ANY;

  const age = (at: number): void => {
    if (at - since < AGE && at >= since) return;
    older = at - since < 2 * AGE && at >= since ? younger : ANY;
    younger = ANY;
    since = at;
  };

  return {
    observe: ({ date }, askedAt, answeredAt) => {
      age(answeredAt);
      if (date !== undefined) {
        const seen = { least: date - answeredAt, most: date + 999 - askedAt };
        const narrowed = intersect(younger, seen);
        if (isPossible(intersect(narrowed, older))) {
          younger = narrowed;
        } else {
          older = ANY;
          younger = seen;
        }
      }
      const skew = intersect(younger, older);
      return skew.least <= 0 && skew.most >= 0 ? NONE : skew;
    },
  };
}
