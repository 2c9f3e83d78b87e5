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
      what: fc.constantFrom('enter', 'throttled', 'probe throttled', 'open', 'give up'),
      retryAfterSeconds: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
    });
    let runs = 0;
    const property = fc.asyncProperty(fc.array(event, { maxLength: 20 }), async (events) => {
      runs += 1;
      const tenant = `tenant${runs}`;
      const clock = { now: NOW };
      const memory = createBlockedUntil({ now: () => clock.now, random: () => 1 });
      const redis = createReplica(clock);
      for (const { gapMs, what, retryAfterSeconds } of events) {
        clock.now += gapMs;
        const throttled = {
          probe: what === 'probe throttled',
          ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
        };
        const tell = (store: BlockedUntil): Promise<unknown> => {
          if (what === 'enter') return store.enter(tenant);
          if (what === 'open') return store.open(tenant);
          return what === 'give up' ? store.giveUpProbe(tenant) : store.block(tenant, throttled);
        };
        assert.deepEqual(await tell(redis), await tell(memory));
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
});
