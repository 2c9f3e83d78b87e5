import * as fc from 'fast-check';
import { TIERS, type LimitKey, type RateLimits } from '../../src/limits/tier.ts';
import { createReferenceTier } from './gcra-reference.ts';

/** Limits, and requests at points in time. */
export type Schedule = Readonly<{
  limits: RateLimits;
  steps: readonly Readonly<{ gapMs: number; keys: readonly LimitKey[] }>[];
}>;

const LIMIT = fc.oneof(
  { weight: 1, arbitrary: fc.constant('off' as const) },
  {
    weight: 5,
    arbitrary: fc.record({
      count: fc.integer({ min: 1, max: 9 }),
      seconds: fc.integer({ min: 1, max: 11 }),
      shadow: fc.boolean(),
    }),
  },
);

const LIMITS = fc.record({
  address: LIMIT,
  user: LIMIT,
  client: LIMIT,
  tenant: LIMIT,
  profile: LIMIT,
  graph: LIMIT,
});

const KEYS = fc.uniqueArray(fc.record({ tier: fc.constantFrom(...TIERS), key: fc.constantFrom('a', 'b') }), {
  maxLength: 6,
  selector: ({ tier }) => tier,
});

const STEP = fc.record({
  gapMs: fc.oneof(fc.constantFrom(0, 1, 500, 1000, 2000), fc.nat(4000)),
  keys: KEYS,
});

export const SCHEDULE: fc.Arbitrary<Schedule> = fc.record({
  limits: LIMITS,
  steps: fc.array(STEP, { maxLength: 25 }),
});

/** Which tiers refuse, step by step, when every admitted request is stored. */
export function decideByReference({ limits, steps }: Schedule, start: number) {
  const tiers = new Map<string, ReturnType<typeof createReferenceTier>>();
  let now = start;
  return steps.map(({ gapMs, keys }) => {
    now += gapMs;
    const asked = keys.flatMap(({ tier, key }) => {
      const limit = limits[tier];
      if (limit === 'off') return [];
      const reference = tiers.get(`${tier} ${key}`) ?? createReferenceTier(limit);
      tiers.set(`${tier} ${key}`, reference);
      return [{ tier, reference, shadow: limit.shadow, conforming: reference.conforms(now) }];
    });
    const refusing = asked.filter((tier) => !tier.conforming && !tier.shadow);
    if (refusing.length === 0) {
      for (const tier of asked) if (tier.conforming) tier.reference.admit(now);
    }
    return refusing.map(({ tier }) => tier);
  });
}
