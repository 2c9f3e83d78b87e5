import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import { readRetryAfter, readStates } from './support/rate-limit.ts';
import { startReplicas } from './support/replicas.ts';

const ROUNDS = process.env['TEST_LONG'] === '1' ? 20 : 3;

/** Stands, until a test moves it. */
function createClock() {
  const clock = { now: Date.now() };
  return { clock, limits: { now: () => clock.now } };
}

describe('limits shared by two replicas', { skip: NO_REDIS }, () => {
  test('a burst of ten times the limit admits exactly the limit, and no tier is charged for a refusal', async (t) => {
    const LIMIT = 4;
    const environment = {
      RATE_LIMIT_ADDRESS: '1000/86400',
      RATE_LIMIT_USER: `${LIMIT}/3600`,
      RATE_LIMIT_CLIENT: '1000/86400',
      RATE_LIMIT_TENANT: '1000/86400',
      RATE_LIMIT_GRAPH: '1000/86400',
    };
    const { limits } = createClock();
    const { one, two, sandbox } = await startReplicas(t, { environment, limits });
    for (let round = 1; round <= ROUNDS; round += 1) {
      const actor = await createActor(one, TENANT_ID);
      const urls = Array.from({ length: 10 * LIMIT }, (_, index) => (index % 2 === 0 ? one.url : two.url));
      const answers = await Promise.all(urls.map((url) => actor.sendTo(url)()));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assert.deepEqual(
        statuses,
        urls.map((_, index) => (index < LIMIT ? 204 : 429)),
      );
      assert.equal(actor.commits(), LIMIT);

      // The next to be refused is told where all stand: what was refused was charged nowhere.
      const refused = await actor.sendTo(two.url)();
      const { address, user, client, tenant, graph } = readStates(refused);
      const left = 1000 - round * LIMIT;
      assert.deepEqual([user?.r, client?.r, tenant?.r, graph?.r], [0, left, left, left]);
      assert.equal(address?.r, left);
      assert.equal(readRetryAfter(refused), 3600 / LIMIT);
    }
    assert.equal(sandbox.graph.journal.commits.length, ROUNDS * LIMIT);
  });

  test('each replica tells where both stand, and Retry-After is neither early nor late', async (t) => {
    const { clock, limits } = createClock();
    const { one, two } = await startReplicas(t, { environment: { RATE_LIMIT_USER: '3/600' }, limits });
    const actor = await createActor(one, TENANT_ID);
    for (const [index, { url }] of [one, two, one].entries()) {
      const answer = await actor.sendTo(url)();
      assert.equal(answer.status, 204);
      assert.equal(answer.headers.get('ratelimit-policy'), '"user";q=3;w=600');
      assert.equal(readStates(answer)['user']?.r, 2 - index);
    }
    const refused = await actor.sendTo(two.url)();
    assert.equal(refused.status, 429);
    const wait = readRetryAfter(refused);
    clock.now += wait * 1000 - 1;
    const early = await actor.sendTo(one.url)();
    assert.deepEqual([early.status, readRetryAfter(early)], [429, 1]);
    clock.now += 1;
    assert.equal((await actor.sendTo(two.url)()).status, 204);
    assert.equal((await actor.sendTo(one.url)()).status, 429, 'one came back, not two');
  });
});
