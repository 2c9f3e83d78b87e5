import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Client, GraphError } from '@microsoft/microsoft-graph-client';
import { READER } from '../../sandbox/directory.ts';
import { startService, type Service } from '../support/service.ts';

/**
 * The Graph JavaScript SDK as an application uses it, its base URL pointed at the service. It gives its token to HTTPS hosts
 * only; what ends TLS before the service does is played by `fetch`.
 */
function createClient(t: TestContext, service: Service, token: string): Client {
  const { host, hostname } = new URL(service.url);
  const original = fetch;
  t.mock.method(globalThis, 'fetch', (url: string, init: RequestInit) =>
    original(url.replace(`https://${host}`, service.url), init),
  );
  return Client.initWithMiddleware({
    baseUrl: `https://${host}`,
    defaultVersion: 'beta',
    customHosts: new Set([hostname]),
    authProvider: { getAccessToken: async () => token },
  });
}

const pathOf = (service: Service) => service.createPath().replace('/beta', '');

test('the Graph SDK creates a token', async (t) => {
  const service = await startService(t);
  const client = createClient(t, service, await service.entra.issueToken());
  const answer: unknown = await client.api(pathOf(service)).post({ tokenValidityInSeconds: 3600 });
  assert.equal(answer, undefined);
  assert.equal(service.graph.journal.commits.length, 1);
  assert.match(service.graph.journal.commits[0]?.clientRequestId ?? '', /^[0-9a-f-]{36}$/);
});

test('the Graph SDK reads an error as a GraphError', async (t) => {
  const service = await startService(t);
  service.graph.access.setRole(READER.objectId, false);
  for (const [token, statusCode, code, inner] of [
    [await service.entra.issueToken({ user: READER }), 403, 'Forbidden', 'graph_forbidden'],
    ['x.y.z', 401, 'InvalidAuthenticationToken', 'invalid_token'],
  ] as const) {
    const client = createClient(t, service, token);
    const error: unknown = await client
      .api(pathOf(service))
      .post({ tokenValidityInSeconds: 3600 })
      .catch((error: unknown) => error);
    assert.ok(error instanceof GraphError);
    assert.equal(error.statusCode, statusCode);
    assert.equal(error.code, code);
    assert.match(error.requestId ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(Object(JSON.parse(String(error.body))).innerError.code, inner);
    assert.ok(error.date instanceof Date && !Number.isNaN(error.date.getTime()));
    assert.notEqual(error.message, '');
  }
});

test('the Graph SDK does not repeat what may have been done', async (t) => {
  const service = await startService(t);
  service.graph.faults.add({ operation: 'createToken', kind: 'reset', when: 'before', times: 'always' });
  const client = createClient(t, service, await service.entra.issueToken());
  const error: unknown = await client
    .api(pathOf(service))
    .post({ tokenValidityInSeconds: 3600 })
    .catch((error: unknown) => error);
  assert.ok(error instanceof GraphError);
  assert.equal(error.statusCode, 502);
  const writes = service.graph.journal.requests.filter(({ method }) => method === 'POST');
  assert.equal(writes.length, 1);
});
