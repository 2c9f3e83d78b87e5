import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createBlockedUntil } from '../../src/limits/blocked-until.ts';
import { createGraphThrottle } from '../../src/limits/graph-throttle.ts';
import { toLimitKeys } from '../../src/limits/limit-keys.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { createRedisBlockedUntil } from '../../src/limits/redis-blocked-until.ts';
import { createRedisConnection, type RedisConnection } from '../../src/limits/redis-connection.ts';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import type { RateLimits, SharedLimiter } from '../../src/limits/tier.ts';
import { readRemaining } from '../../src/limits/tier-state.ts';
import { withLastingKeys } from './lasting-keys.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from './redis-server.ts';

const LIMITS: RateLimits = {
  address: 'off',
  user: 'off',
  client: 'off',
  tenant: 'off',
  profile: 'off',
  graph: { count: 50, seconds: 20, shadow: false },
};

async function write(limiter: SharedLimiter, clientId: string): Promise<boolean> {
  const caller = { tenantId: 'T', objectId: 'o', clientId };
  return (await limiter.decide(toLimitKeys({ caller, write: true }))).refusedBy.length === 0;
}

describe('the budget at Graph over two replicas', { skip: NO_REDIS }, () => {
  let server: RedisServer;
  let connection: RedisConnection;
  const clock = { now: 0 };
  const now = () => clock.now;

  before(async () => {
    server = await createRedisServer();
    connection = createRedisConnection({ url: server.url, deadlineMs: 10_000 });
    await connection.ready(5000);
  });
  beforeEach(async () => {
    clock.now = Date.UTC(2026, 10, 24);
    await server.admin.flushall();
  });
  after(async () => {
    connection.close();
    await server.close();
  });

  function createReplica() {
    const run = withLastingKeys(connection.run);
    return {
      limiter: createRedisLimiter({ limits: LIMITS, run, now }),
      throttle: createGraphThrottle({
        blockedUntil: createRedisBlockedUntil({ run, now, local: createBlockedUntil({ now }) }),
      }),
    };
  }

  /** A minute in which one application asks 20 times a second and another twice. */
  async function share(greedy: SharedLimiter, modest: SharedLimiter) {
    const passed = { greedy: 0, modest: 0 };
    for (let tenths = 0; tenths < 600; tenths += 1) {
      clock.now += 100;
      for (let i = 0; i < 2; i += 1) if (await write(greedy, 'greedy')) passed.greedy += 1;
      if (tenths % 5 === 0 && (await write(modest, 'modest'))) passed.modest += 1;
    }
    return passed;
  }

  it('holds an application at one replica to 70 % while another asks at the other', async () => {
    const [one, two] = [createReplica().limiter, createReplica().limiter];
    const alone = createMemoryLimiter({ limits: LIMITS, now });
    const expected = await share(alone, alone);
    clock.now = Date.UTC(2026, 10, 24);
    const passed = await share(one, two);
    assert.deepEqual(passed, expected, 'as in one process');
    assert.ok(passed.greedy <= 0.7 * 200, `${passed.greedy} of 200`);
    assert.ok(passed.modest >= 50, `${passed.modest} of 120`);
  });

  it('halves the budget of all replicas when one is throttled, once for one pause, and grows back', async () => {
    const [one, two] = [createReplica(), createReplica()];
    const burst = async (): Promise<number> => {
      let passed = 0;
      for (let i = 0; i < 60; i += 1) if (await write(two.limiter, 'a')) passed += 1;
      return passed;
    };
    const underWay = [await one.throttle.admit('t'), await two.throttle.admit('T')];
    for (const { settle } of underWay) await settle({ kind: 'throttled', retryAfterSeconds: 1 });
    assert.equal(await burst(), 25);
    clock.now += 20_000;
    await (await two.throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 1 });
    assert.equal(await burst(), 12);
    clock.now += 3 * 60_000;
    await one.throttle.admit('t');
    assert.equal(await burst(), 50);
  });

  it('does not halve it again for a pause of which Redis had to be told twice', async () => {
    const [one, two] = [createReplica(), createReplica()];
    await (await one.throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 60 });
    await server.admin.flushall();
    await assert.rejects(one.throttle.admit('t'));
    await assert.rejects(two.throttle.admit('t'));
    assert.equal(await write(two.limiter, 'a'), true);
    const { states } = await two.limiter.decide([
      { tier: 'graph', key: 't' },
      { tier: 'graph', key: 't:a', kind: 'share' },
    ]);
    assert.equal(states[0] && readRemaining(states[0]), 48);
  });
});
