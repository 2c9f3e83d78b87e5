const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
};

/**
 * By how much values at even distances grew from the first to the last: the median of the slopes of all pairs (Theil and Sen), times
 * the distance. Up to a quarter of the values may be anything, so that one measured in the middle of something says nothing.
 */
export function toGrowth(values: readonly number[]): number {
  const slopes = values.flatMap((later, at) =>
    values.slice(0, at).map((earlier, before) => (later - earlier) / (at - before)),
  );
  return median(slopes) * (values.length - 1);
}
