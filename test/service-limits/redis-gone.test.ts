import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor, readCode, type Actor } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import type { Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readRetryAfter, readStates } from './support/rate-limit.ts';
import { startReplicas, type Replicas } from './support/replicas.ts';

const KEY = { 'idempotency-key': 'known' };
const GONE = /"message":"Redis cannot be used/g;
const BACK = /"message":"Redis can be used again/g;

const isDegraded = async ({ metrics }: Service): Promise<boolean> =>
  /^enrollment_token_bff_limiter_degraded 1$/m.test(await metrics.text());
const count = ({ logged }: Service, line: RegExp): number => [...logged().matchAll(line)].length;

/** Ends Redis, and lets each replica notice. */
async function killRedis({ redis, one, two }: Replicas, actor: Actor): Promise<void> {
  await redis.kill('SIGKILL');
  for (const { url } of [one, two]) await actor.sendTo(url)();
}

/** The statuses of so many requests at once, sorted. */
async function burst(actor: Actor, { url }: Service, requests: number): Promise<readonly number[]> {
  const answers = await Promise.all(Array.from({ length: requests }, () => actor.sendTo(url)()));
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

const repeat = (status: number, times: number): readonly number[] =>
  Array.from({ length: times }, () => status);

describe('Redis is killed', { skip: NO_REDIS, concurrency: 3 }, () => {
  test('a key that is not known here is refused, not ignored; one that is known is answered', async (t) => {
    const replicas = await startReplicas(t, { environment: { RATE_LIMIT_USER: '100/3600' } });
    const { one, two, redis } = replicas;
    const actor = await createActor(one, TENANT_ID);
    assert.equal((await actor.sendTo(one.url)(KEY)).status, 204);
    await redis.kill('SIGKILL');

    for (const [{ url }, key] of [
      [two, 'known'],
      [one, 'new'],
    ] as const) {
      const refused = await actor.sendTo(url)({ 'idempotency-key': key });
      assert.equal(readCode(refused), 'idempotency_unavailable');
      assert.equal(refused.status, 503);
      assert.equal(readRetryAfter(refused), 5);
      assert.equal(readStates(refused)['user']?.r, 50, 'given back');
    }
    assert.equal((await actor.sendTo(one.url)(KEY)).status, 204);
    assert.equal(actor.commits(), 1);
    assert.equal((await actor.sendTo(two.url)()).status, 204, 'without a key it goes on');
    assert.equal(actor.commits(), 2);
  });

  test('each replica keeps its part of the limits, says so once, and uses Redis again within 5 s', async (t) => {
    const LIMIT = 6;
    const replicas = await startReplicas(t, {
      environment: { RATE_LIMIT_USER: `${LIMIT}/3600`, REPLICAS: '2' },
    });
    const { one, two, redis } = replicas;
    await killRedis(replicas, await createActor(one, TENANT_ID));

    const actor = await createActor(one, TENANT_ID);
    for (const replica of [one, two]) {
      assert.deepEqual(await burst(actor, replica, 3 * LIMIT), [
        ...repeat(204, LIMIT / 2),
        ...repeat(429, 2.5 * LIMIT),
      ]);
      assert.ok(await isDegraded(replica));
      assert.equal(count(replica, GONE), 1);
      assert.equal(count(replica, BACK), 0);
    }
    assert.equal(actor.commits(), LIMIT);
    const told = await actor.sendTo(one.url)();
    assert.match(told.headers.get('ratelimit-policy') ?? '', new RegExp(`^"user";q=${LIMIT / 2};w=3600$`));

    await redis.start();
    const startedAt = Date.now();
    for (const replica of [one, two]) await waitUntil(async () => !(await isDegraded(replica)), 5000);
    assert.ok(Date.now() - startedAt < 5000);
    const later = await createActor(one, TENANT_ID);
    assert.equal((await later.sendTo(one.url)(KEY)).status, 204);
    assert.equal((await later.sendTo(two.url)(KEY)).status, 204);
    assert.equal(later.commits(), 1);
    for (const replica of [one, two]) assert.equal(count(replica, BACK), 1);
  });

  for (const [onFailure, status] of [
    ['closed', 503],
    ['open', 204],
  ] as const) {
    test(`after LIMITER_DEGRADED_MAX_SECONDS, LIMITER_ON_FAILURE=${onFailure}: creates and revokes get ${status}`, async (t) => {
      const replicas = await startReplicas(t, {
        environment: {
          LIMITER_DEGRADED_MAX_SECONDS: '1',
          LIMITER_ON_FAILURE: onFailure,
          RATE_LIMIT_ADDRESS: '1000/3600',
          RATE_LIMIT_USER: '1000/3600',
        },
      });
      const { one, redis } = replicas;
      const creator = await createActor(one, TENANT_ID);
      const revoker = await createActor(one, TENANT_ID, { operation: 'revokeToken' });
      await killRedis(replicas, creator);
      assert.ok(await isDegraded(one));
      if (onFailure === 'closed') {
        await waitUntil(async () => (await creator.send()).status === 503, 5000);
      } else {
        const degradedAt = Date.now();
        await waitUntil(() => Date.now() > degradedAt + 1500);
      }

      const committed = [creator.commits(), revoker.commits()];
      let left: number | undefined;
      for (const actor of [creator, revoker]) {
        const answer = await actor.send();
        assert.equal(answer.status, status);
        if (status !== 503) continue;
        assert.equal(readCode(answer), 'limiter_unavailable');
        assert.equal(readRetryAfter(answer), 5);
        const { address, user } = readStates(answer);
        assert.ok(user && user.r > 0 && user.r <= 500, 'where this replica stands');
        assert.ok(address && (left === undefined || address.r >= left), 'a refusal was charged');
        left = address.r;
      }
      const expected = status === 503 ? committed : committed.map((commits) => commits + 1);
      assert.deepEqual([creator.commits(), revoker.commits()], expected);

      const reader = await one.bearer({ scope: 'EnrollmentToken.Read' });
      const list = `${one.url}/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles`;
      assert.equal((await fetch(list, { headers: reader })).status, 200, 'reads go on');

      await redis.start();
      await waitUntil(async () => (await creator.send()).status === 204, 5000);
    });
  }
});
