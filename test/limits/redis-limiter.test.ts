import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createBlockedUntil } from '../../src/limits/blocked-until.ts';
import { createGraphBudget } from '../../src/limits/graph-budget.ts';
import { toLimitKeys } from '../../src/limits/limit-keys.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { createRedisBlockedUntil } from '../../src/limits/redis-blocked-until.ts';
import { createRedisConnection, type RedisConnection } from '../../src/limits/redis-connection.ts';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import type { Decision, LimitKey, RateLimits } from '../../src/limits/tier.ts';
import { readRemaining, readResetSeconds } from '../../src/limits/tier-state.ts';
import { waitUntil } from '../support/wait-until.ts';
import { BURST_LIMIT, BURST_LIMITS, toBurstKeys } from './burst.ts';
import { withLastingKeys } from './lasting-keys.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from './redis-server.ts';
import { decideByReference, SCHEDULE } from './schedule.ts';

const LONG = process.env['TEST_LONG'] === '1';
const NOW = Date.UTC(2026, 10, 24);
const USER: LimitKey = { tier: 'user', key: 'ada' };
const ONE: RateLimits = {
  address: 'off',
  user: { count: 30, seconds: 60, shadow: false },
  client: 'off',
  tenant: 'off',
  profile: 'off',
  graph: 'off',
};

describe('createRedisLimiter', { skip: NO_REDIS }, () => {
  let server: RedisServer;
  let connection: RedisConnection;

  before(async () => {
    server = await createRedisServer();
    connection = createRedisConnection({ url: server.url, deadlineMs: 10_000 });
    await connection.ready(5000);
  });

  after(async () => {
    connection.close();
    await server.close();
  });

  it('agrees with memory and with the reference on random schedules', async () => {
    let schedules = 0;
    await fc.assert(
      fc.asyncProperty(SCHEDULE, async (schedule) => {
        schedules += 1;
        const prefix = `schedule${schedules}:`;
        let now = NOW;
        const { limits } = schedule;
        const memory = createMemoryLimiter({ limits, now: () => now });
        const redis = createRedisLimiter({ limits, now: () => now, run: withLastingKeys(connection.run) });
        const decisions = schedule.steps.map(({ gapMs, keys }) => {
          now += gapMs;
          const own = keys.map((key) => ({ ...key, key: prefix + key.key }));
          return Promise.all([memory.decide(own), redis.decide(own)]);
        });
        const pairs = await Promise.all(decisions);
        for (const [inMemory, inRedis] of pairs) assert.deepEqual(inRedis, inMemory);
        assert.deepEqual(
          pairs.map(([{ refusedBy }]) => refusedBy),
          decideByReference(schedule, NOW),
        );
      }),
      { numRuns: LONG ? 20_000 : 1500 },
    );
  });

  it('agrees with memory on costs, shares, counted keys, refunds and clocks set back', async () => {
    let schedules = 0;
    const toSteps = (clientIds: readonly string[], leastGapMs: number) =>
      fc.array(
        fc.record({
          gapMs: fc.oneof(fc.nat(3), fc.nat(3000), fc.nat(90_000), fc.integer({ min: leastGapMs, max: 0 })),
          clientId: fc.constantFrom(...clientIds),
          write: fc.boolean(),
          throttled: fc.boolean(),
          /** After so many more requests. */
          refund: fc.option(fc.nat(9)),
        }),
        { maxLength: 40 },
      );
    // Of several keys each store forgets those that have recovered when it likes: seen once the clock is set back.
    const schedule = fc.oneof(toSteps(['a', 'b', 'c'], 0), toSteps(['a'], -30_000));
    const limits = fc.record({
      count: fc.integer({ min: 1, max: 5000 }),
      seconds: fc.integer({ min: 1, max: 9 }),
    });
    const run = withLastingKeys(connection.run);
    const property = fc.asyncProperty(limits, schedule, async (limit, steps) => {
      schedules += 1;
      const tenantId = `costs${schedules}`;
      let nowMs = NOW;
      const now = () => nowMs;
      const options = { limits: { ...ONE, graph: { ...limit, shadow: false } }, now };
      const budget = createGraphBudget({ now });
      const memory = createMemoryLimiter({ ...options, budget });
      const redis = createRedisLimiter({ ...options, run });
      const blocked = createRedisBlockedUntil({
        run: connection.run,
        now,
        local: createBlockedUntil({ now }),
      });
      const inMemory: unknown[] = [];
      const inRedis: Promise<unknown>[] = [];
      const outstanding: { keys: readonly LimitKey[]; decision: Decision; in: number }[] = [];
      for (const { gapMs, clientId, write, throttled, refund } of steps) {
        nowMs += gapMs;
        if (throttled) {
          await blocked.block(tenantId, { probe: true });
          budget.shrink(tenantId);
        }
        const keys = toLimitKeys({ caller: { tenantId, objectId: 'o', clientId }, write });
        inRedis.push(redis.decide(keys));
        const decision = await memory.decide(keys);
        inMemory.push(decision);
        if (refund !== null) outstanding.push({ keys, decision, in: refund });
        for (const due of outstanding.filter((each) => (each.in -= 1) === -1)) {
          for (const key of due.keys) {
            inRedis.push(redis.refund(key, due.decision));
            inMemory.push(await memory.refund(key, due.decision));
          }
        }
      }
      assert.deepEqual(await Promise.all(inRedis), inMemory);
    });
    // Once loaded, scripts are run in the order of the calls.
    const loader = createRedisLimiter({ limits: ONE, run });
    await loader.refund(USER, await loader.decide([USER]));
    await fc.assert(property, { numRuns: LONG ? 5000 : 300 });
  });

  it('uses the clock of Redis', async () => {
    const limiter = createRedisLimiter({ limits: ONE, run: connection.run });
    const [before] = await server.admin.time();
    const { states } = await limiter.decide([USER]);
    const arrivalSeconds = (states[0]?.arrival ?? 0) / 1000; // one tick a millisecond for 30/60
    assert.ok(arrivalSeconds - 2 - Number(before) < 5, 'the arrival is one interval after the time of Redis');
    assert.equal(states[0] && readRemaining(states[0]), 29);
    assert.equal(states[0] && readResetSeconds(states[0]), 2);
  });

  it('takes one round trip, keeps its keys in one slot, and lets them expire', async (t) => {
    const commands: string[][] = [];
    const monitor = await server.admin.duplicate().monitor();
    t.after(() => monitor.disconnect());
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua') commands.push(args);
    });
    const limiter = createRedisLimiter({ limits: BURST_LIMITS, run: connection.run });
    await limiter.decide(toBurstKeys('expiry'));
    await limiter.decide(
      toLimitKeys({ caller: { tenantId: 't', objectId: 'o', clientId: 'expiry' }, write: true }),
    );
    await server.admin.echo('done');
    while (!commands.some(([name]) => name?.toLowerCase() === 'echo')) await once(monitor, 'monitor');
    assert.deepEqual(
      commands.map(([name]) => name?.toLowerCase()),
      ['evalsha', 'evalsha', 'echo'],
    );
    const keys = await server.admin.keys('*expiry');
    assert.equal(keys.length, 4);
    keys.push(...(await server.admin.keys('*graph-budget:t')));
    assert.equal(keys.length, 5);
    for (const key of keys) {
      assert.match(key, /^\{enrollment-token-bff\}:/);
      const ttl = await server.admin.pttl(key);
      assert.ok(ttl > 0 && ttl <= 86_400_000 + 1000, `${key} expires in ${ttl} ms`);
    }
  });

  it('takes back a charge whose answer came too late: somebody else has decided meanwhile', async (t) => {
    const impatient = createRedisConnection({ url: server.url, deadlineMs: 50 });
    t.after(() => impatient.close());
    await impatient.ready(5000);
    const limits: RateLimits = { ...ONE, user: { count: 30, seconds: 86_400, shadow: false } };
    const limiter = createRedisLimiter({ limits, run: impatient.run });
    const patient = createRedisLimiter({ limits, run: connection.run });
    const late: LimitKey = { tier: 'user', key: 'late' };
    await patient.decide([{ tier: 'user', key: 'loads the script' }]);
    await server.admin.call('CLIENT', 'PAUSE', '60000', 'WRITE'); // which scripts count as
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => limiter.decide([late])));
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
    await server.admin.call('CLIENT', 'UNPAUSE');
    await waitUntil(async () => {
      const { states } = await patient.decide([late]);
      const [state] = states;
      if (!state) return false;
      await patient.refund(late, { refusedBy: [], shadowRefusedBy: [], retryAfterSeconds: 0, states });
      return readRemaining(state) === 29;
    });
  });

  it('loads its script again when Redis has forgotten it', async () => {
    const limiter = createRedisLimiter({ limits: ONE, run: connection.run, now: () => NOW });
    const key: LimitKey = { tier: 'user', key: 'noscript' };
    await limiter.decide([key]);
    await server.admin.script('FLUSH');
    const { states } = await limiter.decide([key]);
    assert.equal(states[0] && readRemaining(states[0]), 28);
  });

  it('starts from a full quota after a flush', async () => {
    const limiter = createRedisLimiter({ limits: ONE, run: connection.run, now: () => NOW });
    const key: LimitKey = { tier: 'user', key: 'flushed' };
    await limiter.decide([key]);
    await server.admin.flushall();
    const { states } = await limiter.decide([key]);
    assert.equal(states[0] && readRemaining(states[0]), 29);
  });

  it('admits exactly the limit to four processes at once, and charges no tier for a refusal', async () => {
    const rounds = LONG ? 20 : 5;
    const workers = Array.from({ length: 4 }, () =>
      fork(new URL('./burst-worker.ts', import.meta.url), [server.url.reveal()], {
        execArgv: ['--import', 'tsx'],
      }),
    );
    try {
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const limiter = createRedisLimiter({ limits: BURST_LIMITS, run: connection.run });
      for (let round = 0; round < rounds; round += 1) {
        const key = `burst${round}`;
        const answers = workers.map((worker) => once(worker, 'message'));
        for (const worker of workers) worker.send({ key, requests: (10 * BURST_LIMIT) / workers.length });
        const admitted = (await Promise.all(answers)).map(([passed]) => Number(passed));
        assert.equal(
          admitted.reduce((sum, passed) => sum + passed, 0),
          BURST_LIMIT,
        );
        const after = await limiter.decide(toBurstKeys(key));
        assert.deepEqual(after.refusedBy, ['user']);
        assert.deepEqual(
          after.states.map((state) => readRemaining(state)),
          [0, 10_000 - BURST_LIMIT, 1000 - BURST_LIMIT],
        );
      }
    } finally {
      for (const worker of workers) worker.kill();
    }
  });
});
