import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toRateLimitHeaders, toRetryAfter } from '../../src/limits/headers.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { toLimitKeys } from '../../src/limits/limit-keys.ts';

const LIMITS = {
  address: { count: 600, seconds: 60, shadow: false },
  user: { count: 30, seconds: 60, shadow: false },
  client: { count: 300, seconds: 60, shadow: true },
  tenant: { count: 600, seconds: 60, shadow: false },
  profile: 'off',
  graph: { count: 50, seconds: 20, shadow: false },
} as const;

const CALLER = { tenantId: 't', objectId: 'o', clientId: 'c' };

describe('toRateLimitHeaders', () => {
  it('writes one item a tier as the draft does, without tiers that are off or in shadow mode', async () => {
    const limiter = createMemoryLimiter({ limits: LIMITS, now: () => 0 });
    const { states } = await limiter.decide(toLimitKeys({ caller: CALLER, write: true }));
    assert.deepEqual(toRateLimitHeaders(states, 0), {
      'RateLimit-Policy': '"user";q=30;w=60, "tenant";q=600;w=60, "graph";q=50;w=20',
      RateLimit: '"user";r=29;t=2, "tenant";r=599;t=1, "graph";r=49;t=1',
    });
  });

  it('tells what is true when they are written', async () => {
    const limiter = createMemoryLimiter({ limits: LIMITS, now: () => 0 });
    const keys = toLimitKeys({ caller: CALLER, write: true });
    await limiter.decide(keys);
    const { states } = await limiter.decide(keys);
    const at = (now: number) => toRateLimitHeaders(states, now)['RateLimit'];
    assert.equal(at(-9), '"user";r=28;t=4, "tenant";r=598;t=1, "graph";r=48;t=1');
    assert.equal(at(1999), '"user";r=28;t=3, "tenant";r=600;t=0, "graph";r=50;t=0');
    assert.equal(at(2000), '"user";r=29;t=2, "tenant";r=600;t=0, "graph";r=50;t=0');
    assert.equal(at(25_000), '"user";r=30;t=0, "tenant";r=600;t=0, "graph";r=50;t=0');
  });

  it('says nothing when nothing is in force', () => {
    assert.deepEqual(toRateLimitHeaders([], 0), {});
  });
});

describe('toRetryAfter', () => {
  it('is a whole number of seconds, never earlier than the real reset', () => {
    assert.deepEqual([0, 0.2, 1, 1.01].map(toRetryAfter), ['1', '1', '1', '2']);
  });
});
