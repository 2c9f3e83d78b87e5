import type { RateLimit } from '../../src/limits/tier.ts';

/**
 * A tier that stores every request it admitted and shares no arithmetic with the product: from any admitted request on, no
 * more may pass than `count` and what the steady rate has brought back since. All in whole numbers.
 */
export function createReferenceTier({ count, seconds }: Pick<RateLimit, 'count' | 'seconds'>) {
  const admitted: number[] = [];
  const windowMs = seconds * 1000;
  return {
    conforms: (nowMs: number): boolean =>
      admitted.every((since, index) => {
        const sinceThen = admitted.length - index + 1; // this one included
        return sinceThen * windowMs <= count * windowMs + (nowMs - since) * count;
      }),
    admit: (nowMs: number): void => void admitted.push(nowMs),
    withdraw: (nowMs: number): void => void admitted.splice(admitted.lastIndexOf(nowMs), 1),
  };
}
