// Graph takes an action on an AOSP profile only with `AOSP-` before its id: the other form is found out by a 404.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createDeviceOwnerProfile } from '../../sandbox/graph/profile.ts';
import { OutboundError } from '../../src/outbound.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService, type Service } from '../support/service.ts';
import { createActor, readCode, readOutcome, type Operation } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);

async function createAospActor(service: Service, operation: Operation = 'createToken') {
  const id = randomUUID();
  const seed = { now: Date.now(), canary: '' };
  const profile = createDeviceOwnerProfile(id, 'P', 'corporateOwnedAOSPUserlessDevice', seed);
  sandbox.graph.store.put('androidDeviceOwnerEnrollmentProfiles', profile);
  const path = `/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${id}/${operation}`;
  const actor = await createActor(service, TENANT_ID, { operation, on: { path } });
  const requests = () => sandbox.graph.journal.requests.filter(({ user }) => user === actor.user.objectId);
  return { actor, requests };
}

describe('an action in the wrong form', { concurrency: 3 }, () => {
  for (const operation of ['createToken', 'revokeToken'] as const) {
    test(`${operation}: goes out once more, and both are on record`, async (t) => {
      const service = await startService(t, { sandbox });
      const { actor, requests } = await createAospActor(service, operation);
      const first = await actor.send();
      assert.equal(first.status, 204);
      assert.deepEqual(
        requests().map(({ method, status }) => [method, status]),
        [
          ['POST', 404],
          ['GET', 200],
          ['POST', 204],
        ],
      );
      assert.equal((await readOutcome(service, first.clientRequestId)).upstream.attempts, 2);
      const second = await actor.send();
      assert.equal((await readOutcome(service, second.clientRequestId)).upstream.attempts, 1);
      assert.equal(actor.commits(), 2);
    });
  }

  test('each call has a time of its own, of what is left: what was lost in the end is still read back', async (t) => {
    const times: number[] = [];
    const service = await startService(t, {
      sandbox,
      environment: { UPSTREAM_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '20000' },
      wrap: {
        append: (append) => append,
        send: (send) => async (request) => {
          const { url, timeoutMs } = request;
          const answer = await send(request);
          if (timeoutMs !== undefined && url.endsWith('/createToken')) times.push(timeoutMs);
          // As if the second one had hung until its time was over.
          if (times.length === 2 && url.endsWith('/createToken')) throw new OutboundError('lost', 'timeout');
          return answer;
        },
      },
    });
    const { actor } = await createAospActor(service);
    actor.faults([
      { kind: 'delay', ms: 300 },
      { operation: 'get', kind: 'delay', ms: 300 },
    ]);
    const answer = await actor.send();
    assert.equal(answer.status, 204, readCode(answer));
    assert.equal(actor.commits(), 1);
    const [first = 0, second = 0] = times;
    // Three fifths of what is left, each: 600 ms have passed in between.
    assert.ok(first <= 12_000 && second <= first - 350, times.join(' '));
  });

  test('a failure to find the right form out is told as what it is, and the same key goes on from there', async (t) => {
    const service = await startService(t, { sandbox });
    const { actor } = await createAospActor(service);
    actor.faults([{ operation: 'get', kind: 'answer', status: 503 }]);
    const key = { 'idempotency-key': randomUUID() };
    const first = await actor.send(key);
    assert.equal(readCode(first), 'graph_unavailable');
    assert.equal((await readOutcome(service, first.clientRequestId)).upstream.attempts, 1);
    assert.equal((await actor.send(key)).status, 204);
    assert.equal(actor.commits(), 1);
  });

  test('the second one is admitted by itself, and waits out a pause of Graph’s', async (t) => {
    const service = await startService(t, { sandbox });
    const { actor, requests } = await createAospActor(service);
    actor.faults([{ kind: 'answer', status: 429, headers: { 'retry-after': '1' }, skip: 1 }]);
    const answer = await actor.send();
    assert.equal(answer.status, 204, readCode(answer));
    assert.equal((await readOutcome(service, answer.clientRequestId)).upstream.attempts, 3);
    assert.equal(requests().filter(({ method }) => method === 'POST').length, 3);
  });
});
