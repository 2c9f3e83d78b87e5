import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createBlockedUntil, type BlockedUntil } from '../../src/limits/blocked-until.ts';
import { createRedisBlockedUntil } from '../../src/limits/redis-blocked-until.ts';
import {
  createRedisConnection,
  type RedisConnection,
  type RunScript,
} from '../../src/limits/redis-connection.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from './redis-server.ts';

const NOW = Date.UTC(2026, 10, 24);

const isProbe = (entry: unknown): boolean => Object(entry).kind === 'probe';

describe('createRedisBlockedUntil', { skip: NO_REDIS }, () => {
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

  function createReplica(clock: { now: number }, run: RunScript = connection.run): BlockedUntil {
    const now = () => clock.now;
    const random = () => 1;
    return createRedisBlockedUntil({ run, now, random, local: createBlockedUntil({ now, random }) });
  }

  it('blocks all replicas, and lets one of them try', async () => {
    const clock = { now: NOW };
    const [one, two] = [createReplica(clock), createReplica(clock)];
    assert.deepEqual(await two.enter('t'), { kind: 'open' });
    assert.equal(await one.block('t', { probe: false, retryAfterSeconds: 7 }), true);
    assert.deepEqual(await two.enter('t'), { kind: 'blocked', retryAfterSeconds: 7 });
    assert.equal(await two.block('t', { probe: false }), false);
    clock.now += 7000;
    const entries = await Promise.all([one, two, one, two].map((replica) => replica.enter('t')));
    assert.equal(entries.filter(({ kind }) => kind === 'probe').length, 1);
    await one.open('t');
    assert.deepEqual(await two.enter('t'), { kind: 'open' });
  });

  it('agrees with memory, whatever happens', async () => {
    const event = fc.record({
      gapMs: fc.nat(40_000),
      wanted: fc.constantFrom('enter', 'throttled', 'probe throttled', 'open', 'give up'),
      retryAfterSeconds: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
    });
    let runs = 0;
    const property = fc.asyncProperty(fc.array(event, { maxLength: 20 }), async (events) => {
      runs += 1;
      const tenant = `tenant${runs}`;
      const clock = { now: NOW };
      const memory = createBlockedUntil({ now: () => clock.now, random: () => 1 });
      const redis = createReplica(clock);
      let isProbing = false;
      for (const { gapMs, wanted, retryAfterSeconds } of events) {
        clock.now += gapMs;
        const what = isProbing || wanted === 'throttled' ? wanted : 'enter'; // only a probe can end
        const throttled = {
          probe: what === 'probe throttled',
          ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
        };
        const tell = (store: BlockedUntil): Promise<unknown> => {
          if (what === 'enter') return store.enter(tenant);
          if (what === 'open') return store.open(tenant);
          return what === 'give up' ? store.giveUpProbe(tenant) : store.block(tenant, throttled);
        };
        const inRedis = await tell(redis);
        assert.deepEqual(inRedis, await tell(memory));
        if (what === 'enter') isProbing ||= isProbe(inRedis);
        else if (what !== 'throttled') isProbing = false;
      }
    });
    await fc.assert(property, { numRuns: process.env['TEST_LONG'] === '1' ? 5000 : 300 });
  });

  it('keeps what this process knows while Redis is gone', async () => {
    const clock = { now: NOW };
    let gone = false;
    const replica = createReplica(clock, (...command) =>
      gone ? Promise.reject(new Error('gone')) : connection.run(...command),
    );
    await replica.block('own', { probe: false, retryAfterSeconds: 9 });
    gone = true;
    assert.deepEqual(await replica.enter('own'), { kind: 'blocked', retryAfterSeconds: 9 });
    await replica.block('own', { probe: false, retryAfterSeconds: 20 });
    assert.deepEqual(await replica.enter('own'), { kind: 'blocked', retryAfterSeconds: 20 });
    assert.deepEqual(await replica.enter('other'), { kind: 'open' });
  });

  it('tells the others, when Redis is back, of a block that began while it was gone', async () => {
    const clock = { now: NOW };
    let gone = true;
    const one = createReplica(clock, (...command) =>
      gone ? Promise.reject(new Error('gone')) : connection.run(...command),
    );
    const two = createReplica(clock);
    await one.block('meanwhile', { probe: false, retryAfterSeconds: 60 });
    gone = false;
    clock.now += 10_000;
    assert.deepEqual(await one.enter('meanwhile'), { kind: 'blocked', retryAfterSeconds: 50 });
    assert.deepEqual(await two.enter('meanwhile'), { kind: 'blocked', retryAfterSeconds: 50 });
    clock.now += 50_000;
    assert.deepEqual(await one.enter('meanwhile'), { kind: 'probe' });
    await one.open('meanwhile');
    assert.deepEqual(await two.enter('meanwhile'), { kind: 'open' });
  });

  it('keeps to a block that Redis was flushed of, whichever replica it began at', async () => {
    const clock = { now: NOW };
    const [one, two, three] = [createReplica(clock), createReplica(clock), createReplica(clock)];
    await one.block('flushed', { probe: false, retryAfterSeconds: 60 });
    await two.enter('flushed');
    for (const replica of [one, two]) {
      await server.admin.flushall();
      assert.deepEqual(await replica.enter('flushed'), { kind: 'blocked', retryAfterSeconds: 60 });
      assert.deepEqual(await three.enter('flushed'), { kind: 'blocked', retryAfterSeconds: 60 });
    }
  });

  it('answers with the later of two times', async () => {
    const clock = { now: NOW };
    const [one, two] = [createReplica(clock), createReplica(clock)];
    await one.block('later', { probe: false, retryAfterSeconds: 5 });
    await two.block('later', { probe: false, retryAfterSeconds: 9 });
    assert.deepEqual(await one.enter('later'), { kind: 'blocked', retryAfterSeconds: 9 });
  });

  it('forgets an old block once Redis says that it was opened', async () => {
    const clock = { now: NOW };
    let gone = false;
    const one = createReplica(clock, (...command) =>
      gone ? Promise.reject(new Error('gone')) : connection.run(...command),
    );
    const two = createReplica(clock);
    await one.block('old', { probe: false, retryAfterSeconds: 5 });
    clock.now += 5000;
    assert.deepEqual(await two.enter('old'), { kind: 'probe' });
    await two.open('old');
    assert.deepEqual(await one.enter('old'), { kind: 'open' });
    gone = true;
    assert.equal(await one.block('old', { probe: false }), true, 'as news');
    assert.deepEqual(await one.enter('old'), { kind: 'blocked', retryAfterSeconds: 1 });
  });
});
