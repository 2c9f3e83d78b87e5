import type { GraphAnswer } from '../graph/graph-answer.ts';

/** The least and the most milliseconds by which Graph's clock is ahead of ours. */
export type ClockSkew = Readonly<{ least: number; most: number }>;

const NONE: ClockSkew = { least: 0, most: 0 };

/**
 * As far as Graph's `Date` shows it, which is written in whole seconds at some moment of the call. Clocks that may agree are
 * taken to agree.
 */
export function readClockSkew(
  { date }: Pick<GraphAnswer, 'date'>,
  askedAt: number,
  answeredAt: number,
): ClockSkew {
  if (date === undefined) return NONE;
  const skew = { least: date - answeredAt, most: date + 999 - askedAt };
  return skew.least <= 0 && skew.most >= 0 ? NONE : skew;
}
