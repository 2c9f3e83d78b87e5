import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createBlockedUntil, type BlockedUntil } from '../../src/limits/blocked-until.ts';
import { createRedisBlockedUntil } from '../../src/limits/redis-blocked-until.ts';
import {
  createRedisConnection,
  type RedisConnection,
  type RunScript,
} from '../../src/limits/redis-connection.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from './redis-server.ts';

const NOW = Date.UTC(2026, 10, 24);

describe('a probe whose end or begin did not get through to Redis', { skip: NO_REDIS }, () => {
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

  /** A replica whose calls do what they should, and whose answers are lost, or late, while told to be. */
  function createUnheard(clock: { now: number }) {
    const how = { isUnheard: false, isCut: false };
    const late: (() => void)[] = [];
    const replica = createReplica(clock, async (script, keys, args, onLate) => {
      if (how.isCut) throw new Error('gone');
      const reply = await connection.run(script, keys, args);
      if (!how.isUnheard) return reply;
      late.push(() => onLate?.(reply));
      throw new Error('late');
    });
    return { replica, how, late };
  }

  for (const [what, end, next] of [
    ['got through', (store: BlockedUntil) => store.open('untold'), 'open'],
    ['was not sent', (store: BlockedUntil) => store.giveUpProbe('untold'), 'probe'],
    [
      'was throttled',
      (store: BlockedUntil) => store.block('untold', { probe: true, retryAfterSeconds: 5 }),
      'probe',
    ],
  ] as const) {
    it(`lets nobody wait for a probe of which Redis could not be told that it ${what}`, async () => {
      await server.admin.flushall();
      const clock = { now: NOW };
      const { replica: one, how } = createUnheard(clock);
      await one.block('untold', { probe: false, retryAfterSeconds: 5 });
      clock.now += 5000;
      assert.deepEqual(await one.enter('untold'), { kind: 'probe' });
      how.isCut = true;
      await end(one);
      how.isCut = false;
      clock.now += 5000;
      assert.deepEqual(await createReplica(clock).enter('untold'), { kind: 'blocked', retryAfterSeconds: 1 });
      assert.deepEqual(await one.enter('untold'), { kind: next });
    });
  }

  it('gives up a probe that it was granted too late, or without hearing of it', async () => {
    const clock = { now: NOW };
    const { replica: one, how, late } = createUnheard(clock);
    const two = createReplica(clock);
    await two.block('unheard', { probe: false, retryAfterSeconds: 5 });
    clock.now += 5000;
    how.isUnheard = true;
    assert.deepEqual(await one.enter('unheard'), { kind: 'open' });
    how.isUnheard = false;
    assert.deepEqual(await two.enter('unheard'), { kind: 'blocked', retryAfterSeconds: 1 });
    assert.deepEqual(await one.enter('unheard'), { kind: 'probe' }, 'never heard');
    await one.giveUpProbe('unheard');

    how.isUnheard = true;
    assert.deepEqual(await one.enter('unheard'), { kind: 'open' });
    how.isUnheard = false;
    for (const hear of late) hear();
    assert.deepEqual(await two.enter('unheard'), { kind: 'probe' }, 'heard late');
    assert.deepEqual(await one.enter('unheard'), { kind: 'blocked', retryAfterSeconds: 1 }, 'not its own');
  });

  it('does not end a later block by what it has to tell of an earlier probe', async () => {
    const clock = { now: NOW };
    const { replica: one, how } = createUnheard(clock);
    const two = createReplica(clock);
    await one.block('later block', { probe: false, retryAfterSeconds: 5 });
    clock.now += 5000;
    assert.deepEqual(await one.enter('later block'), { kind: 'probe' });
    how.isCut = true;
    await one.open('later block');
    how.isCut = false;
    clock.now += 30_000;
    assert.deepEqual(await two.enter('later block'), { kind: 'probe' });
    await two.block('later block', { probe: true, retryAfterSeconds: 5 });
    assert.deepEqual(await one.enter('later block'), { kind: 'blocked', retryAfterSeconds: 5 });
    clock.now += 5000;
    assert.deepEqual(await one.enter('later block'), { kind: 'probe' });
  });

  it('does not end what Graph named to another while it could not tell that its probe got through', async () => {
    const clock = { now: NOW };
    const { replica: one, how } = createUnheard(clock);
    const two = createReplica(clock);
    await one.block('named since', { probe: false, retryAfterSeconds: 5 });
    clock.now += 5000;
    assert.deepEqual(await one.enter('named since'), { kind: 'probe' });
    how.isCut = true;
    await one.open('named since');
    how.isCut = false;
    await two.block('named since', { probe: false, retryAfterSeconds: 60 });
    await one.enter('named since');
    const blocked = { kind: 'blocked', retryAfterSeconds: 60 };
    assert.deepEqual(await one.enter('named since'), blocked);
    assert.deepEqual(await createReplica(clock).enter('named since'), blocked);
    clock.now += 60_000;
    assert.deepEqual(await createReplica(clock).enter('named since'), { kind: 'probe' });
  });
});
