import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  Client,
  GraphError,
  PageIterator,
  RetryHandlerOptions,
  type PageCollection,
} from '@microsoft/microsoft-graph-client';
import { Agent } from 'undici';
import { startService, type Service } from '../support/service.ts';

const ALL = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';

/** Node's fetch takes a dispatcher; the sandbox has a certificate authority of its own. */
const withTrust = ({ ca }: Service): RequestInit =>
  Object.assign<RequestInit, object>({}, { dispatcher: new Agent({ connect: { ca } }) });

/** The SDK with its base URL here, as the README shows it. */
const toClient = (service: Service): Client =>
  Client.initWithMiddleware({
    baseUrl: `${service.url}/`,
    defaultVersion: 'beta',
    fetchOptions: withTrust(service),
    customHosts: new Set([new URL(service.url).hostname]),
    authProvider: { getAccessToken: () => service.entra.issueToken({ scope: ALL }) },
  });

const toPath = (service: Service, rest = ''): string =>
  `/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${service.graph.profiles.deviceOwner}${rest}`;

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function catchGraphError(work: Promise<unknown>): Promise<GraphError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GraphError);
  return error;
}

describe('the Microsoft Graph JavaScript SDK', () => {
  test('creates, with and without the token in the answer, reads and revokes', async (t) => {
    const service = await startService(t, { tls: true });
    const client = toClient(service);
    const body = { tokenValidityInSeconds: 3600 };
    assert.equal(await client.api(toPath(service, '/createToken')).post(body), undefined);
    const created: unknown = await client
      .api(toPath(service, '/createToken'))
      .header('Prefer', 'return=representation')
      .post(body);
    assert.equal(Object(created).tokenValue, service.graph.journal.commits[1]?.tokenValue);

    const profile: unknown = await client.api(toPath(service)).get();
    assert.equal(Object(profile).tokenState, 'expiring');
    const stream: unknown = await client.api(toPath(service, '/qrCodeImage')).getStream();
    assert.ok(stream instanceof ReadableStream);
    assert.equal((await readAll(stream)).subarray(1, 4).toString(), 'PNG');

    await client.api(toPath(service, '/revokeToken')).post(undefined);
    assert.equal(service.graph.journal.commits.at(-1)?.operation, 'revokeToken');
  });

  test('goes through the list with its page iterator', async (t) => {
    const service = await startService(t, { tls: true, graph: { pageSize: 1 } });
    const client = toClient(service);
    const first: PageCollection = await client
      .api('/deviceManagement/androidDeviceOwnerEnrollmentProfiles')
      .top(1)
      .get();
    const names: string[] = [];
    await new PageIterator(client, first, (profile: unknown) => {
      names.push(String(Object(profile).displayName));
      return true;
    }).iterate();
    assert.deepEqual(names.toSorted(), ['Headsets', 'Scanners']);
  });

  test('reads an error as GraphError, with code, request id and Retry-After', async (t) => {
    const service = await startService(t, { tls: true });
    const client = toClient(service);
    const missing = await catchGraphError(
      client.api(`/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${randomUUID()}`).get(),
    );
    assert.equal(missing.statusCode, 404);
    assert.equal(missing.code, 'ResourceNotFound');
    assert.match(missing.requestId ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(Object(JSON.parse(String(missing.body))).innerError.code, 'profile_not_found');

    const limited = await startService(t, { tls: true, environment: { RATE_LIMIT_USER: '1/3600' } });
    const impatient = toClient(limited)
      .api(toPath(limited))
      .middlewareOptions([new RetryHandlerOptions(0, 0)]);
    await impatient.get();
    const refused = await catchGraphError(impatient.get());
    assert.deepEqual([refused.statusCode, refused.code], [429, 'TooManyRequests']);
    // An hour, less what passed between the two requests.
    const retryAfter = Number(refused.headers?.get('retry-after'));
    assert.ok(retryAfter > 3600 - 60 && retryAfter <= 3600, String(retryAfter));
  });

  test('its retry handler repeats a create that 503 answered; with a key there is one token', async (t) => {
    const service = await startService(t, { tls: true });
    const client = toClient(service);
    service.graph.faults.add({
      kind: 'answer',
      status: 503,
      headers: { 'retry-after': '1' },
      operation: 'createToken',
    });
    const key = randomUUID();
    await client
      .api(toPath(service, '/createToken'))
      .header('Idempotency-Key', key)
      .post({ tokenValidityInSeconds: 60 });
    await client
      .api(toPath(service, '/createToken'))
      .header('Idempotency-Key', key)
      .post({ tokenValidityInSeconds: 60 });
    assert.equal(service.graph.journal.commits.length, 1);
    assert.equal((await service.audited('intent')).length, 2, 'the first was answered 503 and freed the key');
  });
});
