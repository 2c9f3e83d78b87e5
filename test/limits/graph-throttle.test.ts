import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProblemError } from '../../src/errors.ts';
import { createBlockedUntil } from '../../src/limits/blocked-until.ts';
import { createGraphBudget } from '../../src/limits/graph-budget.ts';
import { createGraphThrottle } from '../../src/limits/graph-throttle.ts';
import { toLimitKeys } from '../../src/limits/limit-keys.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import type { RateLimits } from '../../src/limits/tier.ts';

const LIMITS: RateLimits = {
  address: 'off',
  user: 'off',
  client: 'off',
  tenant: 'off',
  profile: 'off',
  graph: { count: 50, seconds: 20, shadow: false },
};

function create({ random = (): number => 1 } = {}) {
  const clock = { now: Date.UTC(2026, 10, 24) };
  const now = () => clock.now;
  const budget = createGraphBudget({ now });
  const throttle = createGraphThrottle({ blockedUntil: createBlockedUntil({ now, random }), budget });
  const limiter = createMemoryLimiter({ limits: LIMITS, now, budget });
  const write = async (clientId: string): Promise<boolean> => {
    const caller = { tenantId: 't', objectId: 'o', clientId };
    return (await limiter.decide(toLimitKeys({ caller, write: true }))).refusedBy.length === 0;
  };
  return { clock, throttle, budget, write };
}

function throttledFor(seconds: number) {
  return (error: unknown): boolean =>
    error instanceof ProblemError &&
    error.code === 'graph_throttled' &&
    error.options.retryAfterSeconds === seconds;
}

describe('createGraphThrottle', () => {
  it('lets nothing through before the time that Graph named, and says honestly how long', async () => {
    const { clock, throttle } = create();
    const passage = await throttle.admit('t');
    assert.equal(passage.probe, false);
    await passage.settle({ kind: 'throttled', retryAfterSeconds: 7 });
    clock.now += 6001;
    await assert.rejects(throttle.admit('t'), throttledFor(1));
    assert.equal((await throttle.admit('another tenant')).probe, false);
    clock.now += 999;
    assert.equal((await throttle.admit('t')).probe, true);
  });

  it('lets exactly one probe through afterwards; the others wait until it is settled', async () => {
    const { clock, throttle } = create();
    await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 7 });
    clock.now += 7000;
    const probe = await throttle.admit('t');
    await assert.rejects(throttle.admit('t'), throttledFor(1));
    await probe.settle({ kind: 'answered' });
    await probe.settle({ kind: 'throttled', retryAfterSeconds: 99 });
    assert.equal((await throttle.admit('t')).probe, false);
  });

  it('blocks for longer when the probe is throttled too: 1, 2, 4 … 60 s', async () => {
    const { clock, throttle } = create();
    const waits: number[] = [];
    await (await throttle.admit('t')).settle({ kind: 'throttled' });
    for (let i = 0; i < 8; i += 1) {
      const error: unknown = await throttle.admit('t').catch((reason: unknown) => reason);
      assert.ok(error instanceof ProblemError);
      const wait = error.options.retryAfterSeconds ?? 0;
      waits.push(wait);
      clock.now += wait * 1000;
      await (await throttle.admit('t')).settle({ kind: 'throttled' });
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('halves the wait at most, by chance', async () => {
    const { clock, throttle } = create({ random: () => 0 });
    await (await throttle.admit('t')).settle({ kind: 'throttled' });
    clock.now += 1000;
    await (await throttle.admit('t')).settle({ kind: 'throttled' });
    clock.now += 1000;
    await (await throttle.admit('t')).settle({ kind: 'throttled' });
    await assert.rejects(throttle.admit('t'), throttledFor(2));
  });

  it('does not escalate for requests that were under way when the block came', async () => {
    const { throttle, budget } = create();
    const underWay = [await throttle.admit('t'), await throttle.admit('t'), await throttle.admit('t')];
    for (const passage of underWay) await passage.settle({ kind: 'throttled' });
    await assert.rejects(throttle.admit('t'), throttledFor(1));
    assert.equal(budget.ask('t', 'a').cost, 2);
  });

  it('is not opened by an earlier request that got through', async () => {
    const { throttle } = create();
    const slow = await throttle.admit('t');
    await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 5 });
    await slow.settle({ kind: 'answered' });
    await assert.rejects(throttle.admit('t'), throttledFor(5));
  });

  it('hands the probe on when it was never sent, or never settled', async () => {
    const { clock, throttle } = create();
    await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 5 });
    clock.now += 5000;
    await (await throttle.admit('t')).settle({ kind: 'unsent' });
    assert.equal((await throttle.admit('t')).probe, true);
    clock.now += 29_999;
    await assert.rejects(throttle.admit('t'), throttledFor(1));
    clock.now += 1;
    assert.equal((await throttle.admit('t')).probe, true);
  });

  it('takes a senseless Retry-After for none', async () => {
    for (const retryAfterSeconds of [0, -5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const { throttle } = create();
      await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds });
      await assert.rejects(throttle.admit('t'), throttledFor(1));
    }
  });
});

describe('createGraphBudget', () => {
  it('halves the budget when Graph throttles, and grows back slowly', async () => {
    const { clock, throttle, write } = create();
    const burst = async (): Promise<number> => {
      let admitted = 0;
      for (let i = 0; i < 60; i += 1) if (await write('a')) admitted += 1;
      return admitted;
    };
    assert.equal(await burst(), 50);
    await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 1 });
    clock.now += 20_000;
    assert.equal(await burst(), 25);
    for (let i = 0; i < 5; i += 1) {
      clock.now += 3_600;
      await (await throttle.admit('t')).settle({ kind: 'throttled', retryAfterSeconds: 1 });
    }
    clock.now += 20_000;
    assert.equal(await burst(), 6);
    clock.now += 7 * 60_000;
    assert.equal(await burst(), 50);
  });

  it('gives one application at most 70 % while another asks, and all of it while none does', async () => {
    const { clock, write } = create();
    let greedy = 0;
    let modest = 0;
    for (let i = 0; i < 100; i += 1) {
      if (await write('greedy')) greedy += 1;
      if (i === 0 && (await write('modest'))) modest += 1;
    }
    assert.equal(greedy, 35);
    for (let i = 0; i < 20; i += 1) if (await write('modest')) modest += 1;
    assert.equal(modest, 15);
    clock.now += 20_000;
    let alone = 0;
    for (let i = 0; i < 100; i += 1) if (await write('greedy')) alone += 1;
    assert.equal(alone, 50);
  });

  it('keeps 50 callers at three times the budget within the quota Graph publishes, and shares it fairly', async () => {
    const { clock, write } = create();
    const start = clock.now;
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647; // Park and Miller
      return seed / 2_147_483_647;
    };
    const periodMs = 20_000 / 3; // 50 callers, 50 writes in 20 s: three times as many are asked for
    const requests = Array.from({ length: 50 }, (_, caller) =>
      Array.from({ length: 9 }, (_, turn) => ({ caller, at: (turn + random()) * periodMs })),
    ).flat();
    const writes: number[] = [];
    const admitted = new Map<string, number>();
    for (const { caller, at } of requests.toSorted((a, b) => a.at - b.at)) {
      clock.now = start + Math.floor(at);
      const application = `application ${caller % 5}`;
      if (!(await write(application))) continue;
      writes.push(clock.now);
      admitted.set(application, (admitted.get(application) ?? 0) + 1);
    }
    const busiest = Math.max(
      ...writes.map((first) => writes.filter((at) => at >= first && at < first + 20_000).length),
    );
    assert.ok(busiest <= 100, `${busiest} writes in 20 s`);
    assert.ok(writes.length >= 195, `${writes.length} writes: the budget was not used`);
    const fair = writes.length / 5;
    for (const [application, count] of admitted) {
      assert.ok(Math.abs(count - fair) <= fair * 0.2, `${application} got ${count} of ${writes.length}`);
    }
  });
});
