import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { createDeviceOwnerProfile } from '../../sandbox/graph/profile.ts';
import { startService } from '../support/service.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';

async function start(t: TestContext) {
  const service = await startService(t, {
    environment: {
      RATE_LIMIT_ADDRESS: 'off',
      RATE_LIMIT_CLIENT: 'off',
      RATE_LIMIT_TENANT: 'off',
      // A thousand TLS connections at once take this machine their time.
      UPSTREAM_TIMEOUT_MS: '120000',
      REQUEST_DEADLINE_MS: '120000',
      SHUTDOWN_GRACE_MS: '121000',
    },
  });
  const { entra, graph, url } = service;
  // Long enough for all to arrive while it is under way.
  entra.faults.add({ operation: 'token', kind: 'delay', ms: 1000, times: 'always' });
  const create = async (token: string): Promise<number> => {
    const id = randomUUID();
    const seed = { now: Date.now(), canary: '' };
    graph.store.put(SET, createDeviceOwnerProfile(id, 'P', 'corporateOwnedDedicatedDevice', seed));
    const response = await fetch(`${url}/beta/deviceManagement/${SET}/${id}/createToken`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"tokenValidityInSeconds":60}',
    });
    await response.arrayBuffer();
    return response.status;
  };
  return { ...service, create };
}

test('a thousand first requests of one user at once make one exchange', async (t) => {
  const { entra, graph, create } = await start(t);
  const token = await entra.issueToken();
  const statuses = await Promise.all(Array.from({ length: 1000 }, () => create(token)));
  assert.deepEqual(new Set(statuses), new Set([204]));
  assert.equal(entra.journal.counts.token, 1);
  assert.equal(graph.journal.commits.length, 1000);
});

test('two hundred users, five requests each at once, make two hundred exchanges', async (t) => {
  const { entra, graph, create } = await start(t);
  const tokens = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      entra.issueToken({
        user: { objectId: randomUUID(), userPrincipalName: `user${index}@example.com`, name: 'User' },
      }),
    ),
  );
  const statuses = await Promise.all([...tokens, ...tokens, ...tokens, ...tokens, ...tokens].map(create));
  assert.deepEqual(new Set(statuses), new Set([204]));
  assert.equal(entra.journal.counts.token, 200);
  assert.equal(new Set(graph.journal.commits.map(({ user }) => user)).size, 200);
});
