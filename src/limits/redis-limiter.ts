import { z } from 'zod';
import { isPriced, readCharged, toDecision, toStanding, toState } from './decision.ts';
import { DECIDE_SCRIPT, REFUND_SCRIPT } from './gcra-script.ts';
import { toTicks } from './gcra.ts';
import { toBudgetKey } from './graph-budget-script.ts';
import { readWriter } from './limit-keys.ts';
import { createPolicies, type Policy } from './policy.ts';
import { REDIS_PREFIX, type RunScript } from './redis-connection.ts';
import type { Decision, LimitKey, OnDecision, RateLimits, SharedLimiter, TierState } from './tier.ts';

export type RedisLimiterOptions = Readonly<{
  limits: RateLimits;
  run: RunScript;
  onDecision?: OnDecision;
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

/** The limits of all replicas: the same decision as in memory, in one round trip. Rejects as `run` does. */
export function createRedisLimiter({ limits, run, onDecision, now }: RedisLimiterOptions): SharedLimiter {
  const readPolicy = createPolicies(limits);
  /** A clock that a test sets is everybody's. */
  const readDecidedAt = (nowMs: number): number => (now ? nowMs : Date.now());
  const readClock = (): number | '' => now?.() ?? '';

  return {
    decide: async (keys) => {
      const asked: Asked[] = [];
      for (const ask of keys) {
        const policy = readPolicy(ask);
        if (policy !== undefined) asked.push({ ask, policy });
      }
      const decision = asked.length === 0 ? toDecision([], 0) : await ask(asked);
      onDecision?.(decision);
      return decision;
    },
    refund,
  };

  async function refund(ask: LimitKey, decision: Decision): Promise<TierState | undefined> {
    const policy = readPolicy(ask);
    const charged = readCharged(ask, decision);
    if (policy === undefined || charged === undefined) return undefined;
    const { ticksPerMs, window } = policy.pace;
    const { step, enforced } = charged;
    const args = [readClock(), ticksPerMs, window, step, charged.arrival, charged.refunded, charged.now];
    const reply = await run(REFUND_SCRIPT, [toKey({ ask, policy })], args);
    const [nowMs, arrival, refunded] = REFUND_REPLY.parse(reply);
    const now = toTicks(policy.pace, nowMs);
    const standing = { ask, policy, enforced, step, line: { arrival, refunded }, now };
    return toState(standing, false, readDecidedAt(nowMs));
  }

  async function ask(asked: readonly Asked[]): Promise<Decision> {
    const writer = readWriter(asked.map(({ ask }) => ask));
    const keys = asked.map(toKey);
    if (writer) keys.push(toBudgetKey(writer.tenant));
    const args = [readClock(), writer?.application ?? '', ...asked.flatMap(toArguments)];
    const onLate = (reply: unknown): void => void takeBack(asked, reply).catch(ignore);
    return parseDecision(asked, await run(DECIDE_SCRIPT, keys, args, onLate));
  }

  /** Somebody else has decided meanwhile. */
  async function takeBack(asked: readonly Asked[], reply: unknown): Promise<void> {
    const decision = parseDecision(asked, reply);
    await Promise.all(asked.map(({ ask }) => refund(ask, decision)));
  }

  function parseDecision(asked: readonly Asked[], reply: unknown): Decision {
    const [nowMs, cost, othersAsking, ...lines] = DECIDE_REPLY.parse(reply);
    const terms = { cost, othersAsking: othersAsking === 1 };
    const standings = asked.map(({ ask, policy }, index) => {
      const [arrival, refunded] = lines.slice(2 * index, 2 * index + 2);
      if (arrival === undefined || refunded === undefined)
        throw new TypeError('Redis gave an unexpected answer');
      return toStanding(ask, policy, terms, { arrival, refunded }, toTicks(policy.pace, nowMs));
    });
    return toDecision(standings, readDecidedAt(nowMs));
  }
}

type Asked = Readonly<{ ask: LimitKey; policy: Policy }>;

function toKey({ ask, policy }: Asked): string {
  return `${REDIS_PREFIX}line:${policy.id}:${ask.key}`;
}

function toArguments({ ask, policy: { pace, limit } }: Asked): readonly (string | number)[] {
  const refuses = limit.shadow ? 'no' : ask.kind === 'share' ? 'share' : 'yes';
  return [pace.ticksPerMs, pace.interval, pace.window, isPriced(ask) ? 1 : 0, refuses];
}

/** Milliseconds of the decision, the terms at Graph, and each line's arrival and refunds. */
const DECIDE_REPLY = z.tuple([z.number(), z.number(), z.number()]).rest(z.number());
const REFUND_REPLY = z.tuple([z.number(), z.number(), z.number()]);

function ignore(): void {}
