import { isEnforced, readCharged, toDecision, toStanding, toState } from './decision.ts';
import { DECIDE_SCRIPT, REFUND_SCRIPT } from './gcra-script.ts';
import { toStep, toTicks } from './gcra.ts';
import { createPolicies, type Policy } from './policy.ts';
import { REDIS_PREFIX, type RunScript } from './redis-connection.ts';
import type { LimitKey, Limiter, OnDecision, RateLimits } from './tier.ts';

export type RedisLimiterOptions = Readonly<{
  limits: RateLimits;
  run: RunScript;
  onDecision?: OnDecision;
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

/** The limits of all replicas: the same decision as in memory, in one round trip. Rejects as `run` does. */
export function createRedisLimiter({ limits, run, onDecision, now }: RedisLimiterOptions): Limiter {
  const readPolicy = createPolicies(limits);
  const readClock = (): number | '' => now?.() ?? '';

  return {
    decide: async (keys) => {
      const asked: Asked[] = [];
      for (const ask of keys) {
        const policy = readPolicy(ask);
        if (policy !== undefined) asked.push({ ask, policy });
      }
      const reply = asked.length === 0 ? [0] : await run(DECIDE_SCRIPT, asked.map(toKey), toArguments(asked));
      const [nowMs, ...arrivals] = parseNumbers(reply, asked.length + 1);
      const decision = toDecision(
        asked.map(({ ask, policy }, index) =>
          toStanding(ask, policy, arrivals[index] ?? 0, toTicks(policy.pace, nowMs)),
        ),
      );
      onDecision?.(decision);
      return decision;
    },
    refund: async (ask, decision) => {
      const policy = readPolicy(ask);
      const charged = readCharged(ask, decision);
      if (policy === undefined || charged === undefined) return undefined;
      const { ticksPerMs, window } = policy.pace;
      const step = toStep(policy.pace, ask.cost ?? 1);
      const args = [readClock(), ticksPerMs, step, window, charged];
      const [nowMs, arrival = 0] = parseNumbers(await run(REFUND_SCRIPT, [toKey({ ask, policy })], args), 2);
      return toState(toStanding(ask, policy, arrival, toTicks(policy.pace, nowMs)), false);
    },
  };

  function toArguments(asked: readonly Asked[]): readonly (string | number)[] {
    const perKey = asked.flatMap(({ ask, policy }) => {
      const { ticksPerMs, window } = policy.pace;
      return [ticksPerMs, toStep(policy.pace, ask.cost ?? 1), window, isEnforced(ask, policy) ? 1 : 0];
    });
    return [readClock(), ...perKey];
  }
}

type Asked = Readonly<{ ask: LimitKey; policy: Policy }>;

function toKey({ ask, policy }: Asked): string {
  return `${REDIS_PREFIX}limit:${policy.id}:${ask.key}`;
}

function parseNumbers(reply: unknown, length: number): readonly [number, ...number[]] {
  const numbers = Array.isArray(reply) ? reply.filter((item) => typeof item === 'number') : [];
  const [first, ...others] = numbers;
  if (first === undefined || numbers.length !== length)
    throw new TypeError('Redis gave an unexpected answer');
  return [first, ...others];
}
