import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import { readRetryAfter, readStates } from './support/rate-limit.ts';
import { whileShared } from './support/replicas.ts';

const ROUNDS = process.env['TEST_LONG'] === '1' ? 20 : 3;

describe('limits shared by two replicas', { skip: NO_REDIS }, () => {
  test('a burst of ten times the limit admits exactly the limit, and no tier is charged for a refusal', async (t) => {
    const LIMIT = 4;
    const environment = {
      RATE_LIMIT_ADDRESS: '1000/3600',
      RATE_LIMIT_USER: `${LIMIT}/3600`,
      RATE_LIMIT_CLIENT: '1000/3600',
      RATE_LIMIT_TENANT: '1000/3600',
      RATE_LIMIT_GRAPH: '1000/3600',
    };
    await whileShared(t, { environment }, async ({ one, two, sandbox }) => {
      for (let round = 1; round <= ROUNDS; round += 1) {
        const actor = await createActor(one, TENANT_ID);
        const urls = Array.from({ length: 10 * LIMIT }, (_, index) => (index % 2 === 0 ? one.url : two.url));
        const answers = await Promise.all(urls.map((url) => actor.sendTo(url)()));
        assert.equal(answers.filter(({ status }) => status === 204).length, LIMIT);
        assert.ok(answers.every(({ status }) => status === 204 || status === 429));
        assert.equal(actor.commits(), LIMIT);

        // The next to be refused is told where all stand: what was refused was charged nowhere.
        const refused = await actor.sendTo(two.url)();
        const { address, user, client, tenant, graph } = readStates(refused);
        const left = 1000 - round * LIMIT;
        assert.deepEqual([user?.r, client?.r, tenant?.r, graph?.r], [0, left, left, left]);
        assert.equal(address?.r, left);
        const wait = readRetryAfter(refused);
        assert.ok(wait <= 3600 / LIMIT && wait > 3600 / LIMIT - 60, String(wait));
      }
      assert.equal(sandbox.graph.journal.commits.length, ROUNDS * LIMIT);
    });
  });

  test('each replica tells where both stand, and Retry-After is neither early nor late', async (t) => {
    await whileShared(t, { environment: { RATE_LIMIT_USER: '3/6' } }, async ({ one, two }) => {
      const actor = await createActor(one, TENANT_ID);
      for (const [index, { url }] of [one, two, one].entries()) {
        const answer = await actor.sendTo(url)();
        assert.equal(answer.status, 204);
        assert.equal(answer.headers.get('ratelimit-policy'), '"user";q=3;w=6');
        assert.equal(readStates(answer)['user']?.r, 2 - index);
      }
      const refused = await actor.sendTo(two.url)();
      assert.equal(refused.status, 429);
      const wait = readRetryAfter(refused);
      assert.ok(wait === 1 || wait === 2, String(wait));
      await sleep(wait * 1000);
      assert.equal((await actor.sendTo(two.url)()).status, 204);
      assert.equal((await actor.sendTo(one.url)()).status, 429, 'one came back, not two');
    });
  });
});
