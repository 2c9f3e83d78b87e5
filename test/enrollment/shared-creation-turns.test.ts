import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Audited } from '../../src/enrollment/audited.ts';
import { createCreationTurns } from '../../src/enrollment/creation-turns.ts';
import { LATE_ACT } from '../../src/enrollment/creation-window.ts';
import { startDeadline } from '../../src/enrollment/deadline.ts';
import { createProfileWrites, toProfileKey } from '../../src/enrollment/profile-writes.ts';
import { createSharedCreationTurns } from '../../src/enrollment/shared-creation-turns.ts';
import { createTurns } from '../../src/enrollment/turns.ts';
import { ProblemError } from '../../src/errors.ts';
import { parseProfileId } from '../../src/graph/profile.ts';
import { createRedisConnection, type RedisConnection } from '../../src/limits/redis-connection.ts';
import { createRedisCreationTurn } from '../../src/limits/redis-creation-turn.ts';
import { Secret } from '../../src/secret.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from '../limits/redis-server.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';
const caller = {
  tenantId: 'tenant',
  objectId: 'user',
  clientId: 'client',
  scopes: [],
  expiresAt: 0,
  assertion: new Secret(''),
  assertionHash: '',
};
const INTENT = {
  kind: 'intent',
  action: 'enrollmentToken.create',
  actor: caller,
  source: { address: '::1' },
  resource: { set: SET, id: '' },
  parameters: {},
  requestId: '',
  clientRequestId: '',
  v: 1,
  chain: '',
  seq: 1,
  time: '',
  id: '',
  previous: '',
  hash: '',
} as const;

const OVER = { signal: AbortSignal.abort(), remainingMs: () => 0, clear: () => {} };

/** A creation that was sent so often, and did what it should. */
const toAudited = (attempts = 1): Audited => ({
  intent: INTENT,
  outcome: { result: 'success', upstream: { attempts, durationMs: 1 } },
  recorded: true,
});

describe('createSharedCreationTurns', { skip: NO_REDIS }, () => {
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

  /** A replica whose link to Redis can be cut, and whose clock may be wrong. `time`: the true one, which Redis has. */
  function createReplica({ skewMs = 0, time = () => Date.now() } = {}) {
    const link = { up: true };
    const writes = createProfileWrites();
    const redis = createRedisCreationTurn({
      lifetimeMs: 600_000,
      lateMs: LATE_ACT,
      now: time,
      run: async (...command) => {
        if (!link.up) throw new Error('gone');
        return connection.run(...command);
      },
    });
    const local = createCreationTurns(createTurns());
    const now = () => time() + skewMs;
    return { link, writes, redis, now, turns: createSharedCreationTurns({ redis, local, writes, now }) };
  }

  /** Requests on a profile that no other test knows. */
  function createProfile() {
    const profile = { set: SET, id: parseProfileId(randomUUID()) } as const;
    return {
      key: toProfileKey(caller, profile),
      ask: (patienceMs = 20_000) => {
        const deadline = startDeadline(patienceMs);
        deadline.clear(); // else the test would outlast it
        return { caller, profile, requestId: randomUUID(), deadline: patienceMs > 0 ? deadline : OVER };
      },
    };
  }

  it('lets one at a time act, whatever the replica, and every replica in time', async () => {
    const { ask } = createProfile();
    // No time passes at Redis: whoever waits is there to ask again, however late this machine lets it.
    const replicas = Array.from({ length: 3 }, () => createReplica({ time: () => 0 }));
    const order: number[] = [];
    let acting = 0;
    await Promise.all(
      replicas.flatMap(({ turns }, replica) =>
        Array.from({ length: 3 }, () =>
          turns.create(ask(), async () => {
            acting += 1;
            assert.equal(acting, 1);
            order.push(replica);
            await sleep(80); // longer than who waits takes to ask again
            acting -= 1;
            return toAudited();
          }),
        ),
      ),
    );
    assert.equal(order.length, 9);
    // Nobody has all its turns while another waits.
    assert.ok(new Set(order.slice(0, 3)).size > 1, order.join(' '));
  });

  it('gives up at the deadline, with nothing done, and holds nobody up', async () => {
    const { ask } = createProfile();
    // No time passes at Redis: a place that were kept would be kept for ever.
    const [one, two, three] = Array.from({ length: 3 }, () => createReplica({ time: () => 0 }));
    assert.ok(one && two && three);
    await one.turns.create(ask(), async () => {
      await assert.rejects(
        two.turns.create(ask(0), async () => assert.fail('it was not its turn')),
        { code: 'upstream_timeout' },
      );
      return toAudited();
    });
    await three.turns.create(ask(5000), async () => toAudited());
  });

  it('tells each replica of the other ones’ creations by its own clock, however wrong that is', async () => {
    const { ask, key } = createProfile();
    let at = Date.now();
    const time = () => at;
    const one = createReplica({ time, skewMs: -3_600_000 });
    const two = createReplica({ time, skewMs: 7_200_000 });
    await one.turns.create(ask(), async () => {
      at += 20;
      return toAudited();
    });
    at += 30;
    await two.turns.create(ask(), async () => {
      assert.equal(two.writes.lastEnd(key), two.now() - 30);
      assert.equal(two.writes.nextStart(key, two.now() - 60_000), two.now() - 50);
      return toAudited();
    });
  });

  it('goes on, each replica by itself, while Redis is gone', async () => {
    const { ask } = createProfile();
    const [one, two] = [createReplica(), createReplica()];
    one.link.up = false;
    await two.turns.create(ask(), async () => {
      await one.turns.create(ask(), async () => toAudited());
      return toAudited();
    });
  });

  it('takes the turn from a replica that died, after a while, and counts what that may have done', async () => {
    const { ask, key } = createProfile();
    let time = Date.now();
    const two = createReplica({ time: () => time });
    assert.deepEqual(await two.redis.take(key, { request: 'dead', replica: 'dead' }), {});
    time += 4000;
    assert.equal(await two.redis.take(key, { request: 'waiting', replica: 'b' }), undefined);
    await two.redis.keep(key, { request: 'dead', replica: 'dead' });
    time += 4000;
    assert.equal(await two.redis.take(key, { request: 'waiting', replica: 'b' }), undefined);
    time += 4000;
    assert.deepEqual(await two.redis.take(key, { request: 'another', replica: 'b' }), {
      last: { request: 'dead', replica: 'dead', beganMsAgo: 12_000, endedMsAgo: 0 },
      openMs: LATE_ACT,
    });
    await two.redis.end(key, { request: 'another', replica: 'b' });
    assert.equal(await two.turns.look(ask(), 'dead', async (isLast) => isLast), true);
  });

  it('keeps the next turn for who waits, but not for one who waits no more', async () => {
    const { key } = createProfile();
    let time = Date.now();
    const { redis } = createReplica({ time: () => time });
    const [a, b, c] = ['a', 'b', 'c'].map((request) => ({ request, replica: request }));
    assert.ok(a && b && c);
    await redis.take(key, a);
    assert.equal(await redis.take(key, b), undefined);
    await redis.end(key, a, 10);
    assert.equal(await redis.take(key, a), undefined, 'b was first');
    time += 300;
    assert.equal((await redis.take(key, c))?.last?.request, 'a');
    await redis.end(key, b, undefined);
    assert.equal(await redis.take(key, b), undefined, 'who does not hold it cannot end it');
  });

  it('security: looks for an earlier creation only while no other replica has come after it', async () => {
    const { ask } = createProfile();
    const [one, two] = [createReplica(), createReplica()];
    const first = ask();
    await one.turns.create(first, async () => toAudited());
    const settle = (turns = two.turns) => turns.look(ask(), first.requestId, async (isLast) => isLast);
    assert.equal(await settle(), true);
    await one.turns.create(ask(), async () => toAudited(0));
    assert.equal(await settle(), true, 'nothing was sent in between');
    two.link.up = false;
    assert.equal(await settle(), false, 'who knows what happened while Redis is gone');
    two.link.up = true;
    await two.turns.create(ask(), async () => toAudited());
    assert.equal(await settle(), false);
    assert.equal(await settle(one.turns), false);
  });

  it('security: tells every replica that an earlier creation may still act, whatever came since', async () => {
    const { ask, key } = createProfile();
    let time = Date.now();
    const [one, two, three] = Array.from({ length: 3 }, () => createReplica({ time: () => time }));
    assert.ok(one && two && three);
    const problem = new ProblemError('outcome_unknown');
    const lost = { result: 'unknown', problem, upstream: { attempts: 1, durationMs: 1 } } as const;
    await one.turns.create(ask(), async () => ({ ...toAudited(), outcome: lost }));
    await two.turns.create(ask(), async () => toAudited());
    time += LATE_ACT - 10_000;
    await three.turns.create(ask(), async () => {
      assert.equal(three.writes.openUntil(key), three.now() + 10_000);
      return toAudited();
    });
    time += 10_000;
    const late = createReplica({ time: () => time });
    await late.turns.create(ask(), async () => toAudited());
    assert.equal(late.writes.openUntil(key), undefined);
  });

  it('security: never looks while a creation is under way', async () => {
    const { ask } = createProfile();
    const [one, two] = [createReplica(), createReplica()];
    const first = ask();
    await one.turns.create(first, async () => toAudited());
    let acting = true;
    let looking: Promise<boolean> | undefined;
    await two.turns.create(ask(), async () => {
      looking = one.turns.look(ask(), first.requestId, async (isLast) => {
        assert.equal(acting, false);
        return isLast;
      });
      await sleep(100);
      acting = false;
      return toAudited();
    });
    assert.equal(await looking, false);
  });
});
