import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor, readCode } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readRetryAfter, readStates } from './support/rate-limit.ts';
import { whileShared, type Replicas } from './support/replicas.ts';

const PAUSE = 2;
const OPTIONS = {
  // Too short a time to wait for the end of the pause.
  environment: {
    REQUEST_DEADLINE_MS: '2500',
    RATE_LIMIT_ADDRESS: '1000/3600',
    RATE_LIMIT_USER: '100/3600',
    RATE_LIMIT_GRAPH: '100/3600',
  },
};

const postsOf = ({ sandbox }: Replicas): number =>
  sandbox.graph.journal.requests.filter(({ method }) => method === 'POST').length;

describe('Graph answers 429 to one replica', { skip: NO_REDIS }, () => {
  test('neither asks again before the time named; then one alone tries; what was not sent costs nothing', async (t) => {
    await whileShared(t, OPTIONS, async (replicas) => {
      const { one, two, sandbox } = replicas;
      const [first, second, third] = await Promise.all([1, 2, 3].map(() => createActor(one, TENANT_ID)));
      assert.ok(first && second && third);
      first.faults([{ kind: 'answer', status: 429, headers: { 'retry-after': String(PAUSE) } }]);
      const throttled = await first.sendTo(one.url)();
      const blockedAt = Date.now();
      assert.deepEqual([throttled.status, readCode(throttled)], [503, 'graph_throttled']);
      assert.equal(readRetryAfter(throttled), PAUSE);
      assert.equal(readStates(throttled)['user']?.r, 99, 'Graph has counted it');

      for (const { url } of [two, one, two]) {
        const refused = await second.sendTo(url)();
        assert.deepEqual([refused.status, readCode(refused)], [503, 'graph_throttled']);
        const left = PAUSE - (Date.now() - blockedAt) / 1000;
        assert.ok(readRetryAfter(refused) >= left, 'too early');
        assert.ok(readRetryAfter(refused) <= PAUSE);
        const { address, user, graph } = readStates(refused);
        assert.deepEqual([address?.r, user?.r], [999, 100], 'given back');
        assert.ok((graph?.r ?? 0) >= 49, 'the budget, halved since, is whole but for the first request');
      }
      assert.equal(postsOf(replicas), 1, 'asked while it wanted a pause');

      await sleep(PAUSE * 1000 - (Date.now() - blockedAt) + 20);
      sandbox.graph.faults.add({ operation: 'createToken', kind: 'delay', ms: 300, when: 'after' });
      const probe = second.sendTo(two.url)();
      await waitUntil(() => postsOf(replicas) === 2);
      const waiting = await third.sendTo(one.url)();
      assert.deepEqual([readCode(waiting), readRetryAfter(waiting)], ['graph_throttled', 1]);
      assert.equal((await probe).status, 204);
      assert.equal((await third.sendTo(one.url)()).status, 204);
      assert.equal(postsOf(replicas), 3);
    });
  });
});
