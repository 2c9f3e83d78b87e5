import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor, readCode, type Actor } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import type { Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startReplicas, type Replicas } from './support/replicas.ts';

const KEY = { 'idempotency-key': 'f1ce7c6e-7a3c-4f7f-9f54-5f4d4fd3a3c1' };

/** Status and code of what this replica answers. */
async function ask(actor: Actor, { url }: Service, headers: Readonly<Record<string, string>> = KEY) {
  const answer = await actor.sendTo(url)(headers);
  const code = readCode(answer);
  return code === undefined ? answer.status : `${answer.status} ${code}`;
}

const postsOf = ({ sandbox }: Replicas, { user }: Actor): number =>
  sandbox.graph.journal.requests.filter(
    (request) => request.user === user.objectId && request.method === 'POST',
  ).length;

describe('an Idempotency-Key over two replicas', { skip: NO_REDIS, concurrency: 4 }, () => {
  test('while one replica is at it the other says so; then it gives the same outcome', async (t) => {
    const replicas = await startReplicas(t);
    const { one, two } = replicas;
    const actor = await createActor(one, TENANT_ID);
    const release = replicas.hold(actor.path);
    const first = ask(actor, one);
    await waitUntil(() => postsOf(replicas, actor) === 1);
    assert.equal(await ask(actor, two), '409 request_in_progress');
    release();
    assert.equal(await first, 204);
    assert.equal(await ask(actor, two), 204);
    assert.equal((await actor.sendTo(two.url)(KEY, '{"tokenValidityInSeconds":61}')).status, 422);
    assert.equal(actor.commits(), 1);
    assert.equal((await two.audited('intent')).length, 0);
  });

  test('asked at once of both, there is exactly one commit', async (t) => {
    const { one, two } = await startReplicas(t);
    const actor = await createActor(one, TENANT_ID);
    for (let round = 1; round <= 10; round += 1) {
      const key = { 'idempotency-key': `round ${round}`.replace(' ', '-') };
      const answers = await Promise.all([one, two, one, two].map((replica) => ask(actor, replica, key)));
      assert.ok(answers.includes(204), answers.join());
      assert.ok(answers.every((answer) => answer === 204 || answer === '409 request_in_progress'));
      assert.equal(actor.commits(), round);
    }
  });

  test('security: two keys under way at one replica are both under way for the other', async (t) => {
    const replicas = await startReplicas(t);
    const { one, two } = replicas;
    const actor = await createActor(one, TENANT_ID);
    const other = await createActor(one, TENANT_ID);
    const pairs = [actor, other] as const;
    const releases = pairs.map(({ path }) => replicas.hold(path));
    const first = pairs.map((each) => ask(each, one));
    await waitUntil(() => pairs.every((each) => postsOf(replicas, each) === 1));
    for (const each of pairs) assert.equal(await ask(each, two), '409 request_in_progress');
    for (const release of releases) release();
    assert.deepEqual(await Promise.all(first), [204, 204]);
    for (const each of pairs) assert.equal(each.commits(), 1);
  });

  test('a refusal of Graph’s is given again by the other replica, which does not ask', async (t) => {
    const replicas = await startReplicas(t);
    const { one, two } = replicas;
    const actor = await createActor(one, TENANT_ID);
    actor.faults([{ kind: 'answer', status: 404 }]);
    assert.equal(await ask(actor, one), '404 profile_not_found');
    assert.equal(await ask(actor, two), '404 profile_not_found');
    assert.equal(postsOf(replicas, actor), 1);
  });

  test('an unknown outcome is settled by the other replica, once', async (t) => {
    const replicas = await startReplicas(t);
    const { one, two, delay } = replicas;
    const actor = await createActor(one, TENANT_ID);
    const arrive = delay(actor.path);
    assert.equal(await ask(actor, one), '502 outcome_unknown');
    arrive();
    await waitUntil(() => actor.commits() === 1);
    assert.equal(await ask(actor, two), 204);
    assert.equal(await ask(actor, one), 204);
    const [intent] = await one.audited('intent');
    const settled = await two.audited('settled');
    assert.deepEqual(
      settled.map((record) => record['intent']),
      [intent?.id],
    );
    assert.equal((await one.audited('settled')).length, 0);
    assert.equal(postsOf(replicas, actor), 1);
  });

  test('security: what another replica created later does not make an older open request look done', async (t) => {
    const { one, two } = await startReplicas(t);
    const actor = await createActor(one, TENANT_ID);
    actor.faults([{ kind: 'reset' }]);
    assert.equal(await ask(actor, one), '502 outcome_unknown');
    assert.equal(await ask(actor, two, {}), 204);
    assert.equal(await ask(actor, one), '502 outcome_unknown');
    assert.equal(await ask(actor, two), '502 outcome_unknown');
    assert.equal(actor.commits(), 1);
    for (const replica of [one, two]) assert.deepEqual(await replica.audited('settled'), []);
  });

  test('security: what another replica created just before is not taken for a request that was lost', async (t) => {
    const { one, two } = await startReplicas(t);
    const actor = await createActor(one, TENANT_ID);
    assert.equal(await ask(actor, two, {}), 204);
    actor.faults([{ kind: 'reset' }]);
    assert.equal(await ask(actor, one), '502 outcome_unknown');
    assert.equal(actor.commits(), 1);
  });
});

for (const set of ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const) {
  test(
    `creations on one profile through two replicas never meet: each gets its own token (${set})`,
    {
      skip: NO_REDIS,
    },
    async (t) => {
      const { one, two } = await startReplicas(t);
      const actor = await createActor(one, TENANT_ID, { set });
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          actor.sendTo(index % 2 === 0 ? one.url : two.url)({ prefer: 'return=representation' }),
        ),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      const tokens = answers.map(({ text }) => Object(JSON.parse(text)).tokenValue);
      const created = one.graph.journal.commits.map(({ tokenValue }) => tokenValue);
      assert.deepEqual(new Set(tokens), new Set(created));
      assert.equal(new Set(tokens).size, 12);
    },
  );
}
