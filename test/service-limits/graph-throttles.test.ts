import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createActor, readCode } from '../enrollment/support/fault-case.ts';
import { NO_REDIS } from '../limits/redis-server.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readRetryAfter, readStates } from './support/rate-limit.ts';
import { startReplicas, type Replicas } from './support/replicas.ts';

/** Seconds; no request may last so long, so that none waits for the end of the pause. */
const PAUSE = 60;

const environment = {
  RATE_LIMIT_ADDRESS: '1000/86400',
  RATE_LIMIT_USER: '100/3600',
  RATE_LIMIT_GRAPH: '100/3600',
};

const postsOf = ({ sandbox }: Replicas): number =>
  sandbox.graph.journal.requests.filter(({ method }) => method === 'POST').length;

describe('Graph answers 429 to one replica', { skip: NO_REDIS }, () => {
  test('neither asks again before the time named; then one alone tries; what was not sent costs nothing', async (t) => {
    const clock = { now: Date.now() };
    const replicas = await startReplicas(t, { environment, limits: { now: () => clock.now } });
    const { one, two, hold } = replicas;
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => createActor(one, TENANT_ID)));
    assert.ok(first && second && third);
    first.faults([{ kind: 'answer', status: 429, headers: { 'retry-after': String(PAUSE) } }]);
    const throttled = await first.sendTo(one.url)();
    assert.deepEqual([throttled.status, readCode(throttled)], [503, 'graph_throttled']);
    assert.equal(readRetryAfter(throttled), PAUSE);
    assert.equal(readStates(throttled)['user']?.r, 99, 'Graph has counted it');

    for (const [{ url }, secondsLater] of [
      [two, 0],
      [one, 25.5],
      [two, PAUSE - 0.001],
    ] as const) {
      const before = clock.now;
      clock.now += secondsLater * 1000;
      const refused = await second.sendTo(url)();
      clock.now = before;
      assert.deepEqual([refused.status, readCode(refused)], [503, 'graph_throttled']);
      assert.equal(readRetryAfter(refused), Math.ceil(PAUSE - secondsLater));
      const { address, user, graph } = readStates(refused);
      assert.deepEqual([address?.r, user?.r], [999, 100], 'given back');
      assert.ok((graph?.r ?? 0) >= 49, 'the budget, halved since, is whole but for the first request');
    }
    assert.equal(postsOf(replicas), 1, 'asked while it wanted a pause');

    clock.now += PAUSE * 1000;
    const release = hold(second.path);
    const probe = second.sendTo(two.url)();
    await waitUntil(() => postsOf(replicas) === 2);
    const waiting = await third.sendTo(one.url)();
    assert.deepEqual([readCode(waiting), readRetryAfter(waiting)], ['graph_throttled', 1]);
    release();
    assert.equal((await probe).status, 204);
    assert.equal((await third.sendTo(one.url)()).status, 204);
    assert.equal(postsOf(replicas), 3);
  });
});
