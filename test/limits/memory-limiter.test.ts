import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { toLimitKeys } from '../../src/limits/limit-keys.ts';
import type { Decision, LimitKey, RateLimits, Tier } from '../../src/limits/tier.ts';
import { readRemaining, readResetSeconds } from '../../src/limits/tier-state.ts';
import { createReferenceTier } from './gcra-reference.ts';
import { decideByReference, SCHEDULE } from './schedule.ts';

const NOW = Date.UTC(2026, 10, 24);
const OFF: RateLimits = {
  address: 'off',
  user: 'off',
  client: 'off',
  tenant: 'off',
  profile: 'off',
  graph: 'off',
};
const USER: LimitKey = { tier: 'user', key: 'ada' };
const TENANT: LimitKey = { tier: 'tenant', key: 'contoso' };

function enforced(count: number, seconds: number) {
  return { count, seconds, shadow: false };
}

function stateOf(decision: Decision, tier: Tier) {
  const state = decision.states.find((candidate) => candidate.tier === tier);
  assert.ok(state, `no state of ${tier}`);
  return { remaining: readRemaining(state), resetSeconds: readResetSeconds(state) };
}

describe('createMemoryLimiter', () => {
  it('admits a burst of the whole quota and says to the second when the next one passes', async () => {
    let now = NOW;
    const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(30, 60) }, now: () => now });
    const first = await limiter.decide([USER]);
    assert.deepEqual(stateOf(first, 'user'), { remaining: 29, resetSeconds: 2 });
    for (let i = 0; i < 29; i += 1) await limiter.decide([USER]);
    const refused = await limiter.decide([USER]);
    assert.deepEqual(refused.refusedBy, ['user']);
    assert.equal(refused.retryAfterSeconds, 2);
    assert.deepEqual(stateOf(refused, 'user'), { remaining: 0, resetSeconds: 60 });
    now += 1999;
    assert.deepEqual((await limiter.decide([USER])).refusedBy, ['user']);
    now += 1;
    assert.deepEqual((await limiter.decide([USER])).refusedBy, []);
  });

  it('charges no tier when one refuses', async () => {
    const limiter = createMemoryLimiter({
      limits: { ...OFF, user: enforced(1, 60), tenant: enforced(10, 60) },
      now: () => NOW,
    });
    await limiter.decide([USER, TENANT]);
    for (let i = 0; i < 50; i += 1) {
      const refused = await limiter.decide([USER, TENANT]);
      assert.deepEqual(refused.refusedBy, ['user']);
      assert.equal(stateOf(refused, 'tenant').remaining, 9);
    }
  });

  it('skips a tier that is off', async () => {
    const limiter = createMemoryLimiter({ limits: OFF, now: () => NOW });
    assert.deepEqual(await limiter.decide([USER, TENANT]), {
      refusedBy: [],
      shadowRefusedBy: [],
      retryAfterSeconds: 0,
      states: [],
    });
  });

  it('reports what a shadow tier would refuse, and lets it pass', async () => {
    const seen: Decision[] = [];
    const limiter = createMemoryLimiter({
      limits: { ...OFF, user: { count: 1, seconds: 60, shadow: true }, tenant: enforced(3, 60) },
      now: () => NOW,
      onDecision: (decision) => void seen.push(decision),
    });
    for (let i = 0; i < 4; i += 1) await limiter.decide([USER, TENANT]);
    assert.deepEqual(
      seen.map(({ refusedBy, shadowRefusedBy }) => [refusedBy, shadowRefusedBy]),
      [
        [[], []],
        [[], ['user']],
        [[], ['user']],
        [['tenant'], ['user']],
      ],
    );
  });

  it('keeps a budget ten times as large, and apart, for reads of Graph', async () => {
    const limiter = createMemoryLimiter({ limits: { ...OFF, graph: enforced(2, 20) }, now: () => NOW });
    const write: LimitKey = { tier: 'graph', key: 'contoso' };
    const read: LimitKey = { ...write, kind: 'read' };
    await limiter.decide([write]);
    await limiter.decide([write]);
    assert.deepEqual((await limiter.decide([write])).refusedBy, ['graph']);
    for (let i = 0; i < 20; i += 1) assert.deepEqual((await limiter.decide([read])).refusedBy, []);
    const refused = await limiter.decide([read]);
    assert.deepEqual(refused.refusedBy, ['graph']);
    assert.equal(refused.states[0]?.limit.count, 20);
  });

  it('charges and enforces as the terms at Graph say', async () => {
    const terms = { cost: 4, othersAsking: true };
    const limiter = createMemoryLimiter({
      limits: { ...OFF, user: enforced(30, 60), graph: enforced(20, 20) },
      now: () => NOW,
      budget: { ask: () => terms, look: () => terms, shrink: () => {} },
    });
    const keys = toLimitKeys({ caller: { tenantId: 't', objectId: 'o', clientId: 'c' }, write: true });
    const standings = ({ states }: Decision) =>
      states.map((state) => [state.kind, readRemaining(state), state.enforced]);
    const first = await limiter.decide(keys);
    assert.deepEqual(standings(first), [
      [undefined, 29, true],
      [undefined, 4, true],
      ['share', 2, true],
    ]);
    terms.othersAsking = false;
    terms.cost = 2;
    assert.deepEqual(standings(await limiter.decide(keys)).slice(1), [
      [undefined, 7, true],
      ['share', 4, false],
    ]);
    for (const key of keys) await limiter.refund(key, first);
    assert.deepEqual(standings(await limiter.decide(keys)).slice(1), [
      [undefined, 8, true],
      ['share', 5, false],
    ]);
  });

  it('does not take who is only told where it stands for one that asks for a share', async () => {
    const limiter = createMemoryLimiter({ limits: { ...OFF, graph: enforced(20, 20) }, now: () => NOW });
    const toKeys = (clientId: string) =>
      toLimitKeys({ caller: { tenantId: 't', objectId: 'o', clientId }, write: true });
    const isShared = () => limiter.peek(toKeys('refused')).find(({ kind }) => kind === 'share')?.enforced;
    assert.equal(isShared(), false);
    const { states } = await limiter.decide(toKeys('asking'));
    assert.equal(isShared(), true, 'as it would be, had it asked');
    const again = await limiter.decide(toKeys('asking'));
    for (const decided of [states, again.states]) {
      assert.equal(decided.find(({ kind }) => kind === 'share')?.enforced, false, 'alone');
    }
  });

  it('locks nobody out for longer than two windows when the clock is set back, and resets nothing for a small step', async () => {
    let now = NOW;
    const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(1, 60) }, now: () => now });
    await limiter.decide([USER]);
    now -= 60_000;
    const refused = await limiter.decide([USER]);
    assert.equal(refused.retryAfterSeconds, 120);
    assert.deepEqual(stateOf(refused, 'user'), { remaining: 0, resetSeconds: 120 });
    now -= 1;
    assert.deepEqual((await limiter.decide([USER])).refusedBy, []);
  });

  describe('refund', () => {
    it('gives a charge back, and never more than the full quota', async () => {
      const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(3, 60) }, now: () => NOW });
      const charge = await limiter.decide([USER]);
      await limiter.refund(USER, charge);
      await limiter.refund(USER, charge);
      assert.equal(stateOf(await limiter.decide([USER]), 'user').remaining, 2);
    });

    it('says where the tier stands then, to the second', async () => {
      let now = NOW;
      const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(30, 60) }, now: () => now });
      await limiter.decide([USER]);
      const charge = await limiter.decide([USER]);
      now += 900;
      const state = await limiter.refund(USER, charge);
      assert.deepEqual(
        state && [readRemaining(state), readResetSeconds(state)],
        [29, 2],
        '1.1 s of the first request are left',
      );
      assert.equal(await limiter.refund(TENANT, charge), undefined);
    });

    it('security: a refund held back cannot turn idle time into a second burst', async () => {
      let now = NOW;
      const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(5, 5) }, now: () => now });
      const held: Decision[] = [];
      for (let i = 0; i < 5; i += 1) held.push(await limiter.decide([USER]));
      now += 5000;
      let admitted = 0;
      for (let i = 0; i < 5; i += 1)
        admitted += (await limiter.decide([USER])).refusedBy.length === 0 ? 1 : 0;
      for (const charge of held) await limiter.refund(USER, charge);
      for (let i = 0; i < 5; i += 1)
        admitted += (await limiter.decide([USER])).refusedBy.length === 0 ? 1 : 0;
      assert.equal(admitted, 5);
    });

    it('security: refunds out of order do not turn time that has lapsed into quota', async () => {
      let now = NOW;
      const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(50, 20) }, now: () => now });
      const admit = async (): Promise<Decision[]> => {
        const admitted: Decision[] = [];
        for (;;) {
          const decision = await limiter.decide([USER]);
          if (decision.refusedBy.length > 0) return admitted;
          admitted.push(decision);
        }
      };
      const held = await admit();
      for (const charge of held.splice(0, 25)) await limiter.refund(USER, charge);
      now += 10_000;
      const kept = (await admit()).length;
      for (const charge of held) await limiter.refund(USER, charge);
      assert.equal(kept + (await admit()).length, 50);
    });

    it('gives all of it back at once, whatever the order', async () => {
      const order = fc.shuffledSubarray(
        Array.from({ length: 20 }, (_, index) => index),
        { minLength: 1 },
      );
      await fc.assert(
        fc.asyncProperty(order, async (refunds) => {
          const limiter = createMemoryLimiter({ limits: { ...OFF, user: enforced(20, 60) }, now: () => NOW });
          const charges: Decision[] = [];
          for (let i = 0; i < 20; i += 1) charges.push(await limiter.decide([USER]));
          for (const index of refunds) {
            const charge = charges[index];
            if (charge) await limiter.refund(USER, charge);
          }
          assert.equal(stateOf(await limiter.decide([USER]), 'user').remaining, refunds.length - 1);
        }),
      );
    });

    it('never admits what would have been refused had the refunded requests not been made', async () => {
      const step = fc.record({
        gapMs: fc.oneof(fc.nat(3000), fc.nat(30)),
        /** Given back so many milliseconds later, or kept. */
        refundAfterMs: fc.option(fc.nat(6000)),
      });
      const schedule = fc.tuple(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(step, { maxLength: 60 }),
      );
      await fc.assert(
        fc.asyncProperty(schedule, async ([count, seconds, steps]) => {
          let now = NOW;
          const limiter = createMemoryLimiter({
            limits: { ...OFF, user: enforced(count, seconds) },
            now: () => now,
          });
          const reference = createReferenceTier({ count, seconds });
          const outstanding: { charge: Decision; at: number }[] = [];
          for (const { gapMs, refundAfterMs } of steps) {
            const next = now + gapMs;
            for (const { charge, at } of outstanding.toSorted((a, b) => a.at - b.at)) {
              if (at > next) break;
              now = Math.max(now, at);
              await limiter.refund(USER, charge);
              outstanding.splice(
                outstanding.findIndex((other) => other.charge === charge),
                1,
              );
            }
            now = next;
            const decision = await limiter.decide([USER]);
            if (decision.refusedBy.length > 0) continue;
            if (refundAfterMs !== null) {
              outstanding.push({ charge: decision, at: now + refundAfterMs });
              continue;
            }
            assert.ok(reference.conforms(now));
            reference.admit(now);
          }
        }),
        { numRuns: 2000 },
      );
    });
  });

  it('agrees with a reference that stores every admitted request, on 20 000 random schedules', async () => {
    await fc.assert(
      fc.asyncProperty(SCHEDULE, async (schedule) => {
        let now = NOW;
        const limiter = createMemoryLimiter({ limits: schedule.limits, now: () => now });
        const refusals = [];
        for (const { gapMs, keys } of schedule.steps) {
          now += gapMs;
          refusals.push((await limiter.decide(keys)).refusedBy);
        }
        assert.deepEqual(refusals, decideByReference(schedule, NOW));
      }),
      { numRuns: 20_000 },
    );
  });

  it('refuses a limit that is no positive whole number', () => {
    for (const [count, seconds] of [
      [0, 60],
      [1.5, 60],
      [1, 0],
      [Number.NaN, 1],
    ] as const) {
      assert.throws(
        () => createMemoryLimiter({ limits: { ...OFF, user: enforced(count, seconds) } }),
        RangeError,
      );
    }
  });
});
