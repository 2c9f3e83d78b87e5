import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import { ProblemError } from '../../src/errors.ts';
import { startService, type Service } from '../support/service.ts';
import { request } from './raw-http.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OWN_ID = 'C11E9700-0000-4000-8000-00000000abcd';
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

async function create(service: Service, headers: Readonly<Record<string, string>> = {}) {
  return supertest(service.url)
    .post(service.createPath())
    .set({ ...(await service.bearer()), ...headers })
    .send({ tokenValidityInSeconds: 60 });
}

test('request-id is new, client-request-id is the caller’s if it is a GUID', async (t) => {
  const service = await startService(t);
  const first = await create(service, { 'client-request-id': OWN_ID, 'request-id': OWN_ID });
  assert.equal(first.headers['client-request-id'], OWN_ID);
  assert.match(String(first.headers['request-id']), GUID);
  const ids = new Set([first.headers['request-id']]);
  for (const own of ['', 'x', `{${OWN_ID}}`, `${OWN_ID}, ${OWN_ID}`, `${OWN_ID}0`]) {
    const { headers } = await create(service, { 'client-request-id': own });
    assert.match(String(headers['client-request-id']), GUID);
    ids.add(headers['request-id']);
  }
  assert.equal(ids.size, 6);

  const twice = await request(service.url, 'GET /nowhere', [
    `client-request-id: ${OWN_ID}`,
    'client-request-id: 00000000-0000-4000-8000-000000000000',
  ]);
  assert.match(twice.headers['client-request-id'] ?? '', GUID);
  assert.notEqual(twice.headers['client-request-id'], OWN_ID);
});

test('nothing of the caller’s headers reaches Graph but client-request-id', async (t) => {
  const service = await startService(t);
  const secret = 'callers-own-header';
  await create(service, {
    'client-request-id': OWN_ID,
    traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`,
    tracestate: `a=${secret}`,
    baggage: secret,
    cookie: `a=${secret}`,
    'user-agent': secret,
    'x-forwarded-for': '203.0.113.9',
    'x-http-method-override': 'DELETE',
    'accept-language': secret,
    'idempotency-key': secret,
    sdkversion: secret,
    'content-language': secret,
    'if-match': secret,
    scenario: secret,
  });
  const headers = service.graph.journal.requests[0]?.headers ?? {};
  assert.deepEqual(Object.keys(headers).toSorted(), [
    'accept',
    'accept-encoding',
    'authorization',
    'client-request-id',
    'connection',
    'content-length',
    'content-type',
    'host',
    'user-agent',
  ]);
  assert.equal(headers['client-request-id'], OWN_ID);
  assert.doesNotMatch(JSON.stringify(headers), new RegExp(`${secret}|${TRACE_ID}`));
  assert.match(service.logged(), new RegExp(`"traceId":"${TRACE_ID}"`), 'the trace is continued in the log');
});

test('a traceparent that is none is not continued', async (t) => {
  const service = await startService(t);
  for (const traceparent of [
    `ff-${TRACE_ID}-00f067aa0ba902b7-01`,
    `00-${TRACE_ID.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `00-${TRACE_ID}-00f067aa0ba902b7-011`,
    TRACE_ID,
  ]) {
    await supertest(service.url).get('/nowhere').set({ traceparent }).expect(404);
  }
  assert.doesNotMatch(service.logged(), /"traceId"/);
});

test('answers carry helmet’s headers and nothing that tells the software', async (t) => {
  const service = await startService(t);
  for (const { headers } of [
    await create(service),
    await supertest(service.url).get('/nowhere'),
    await supertest(service.url).get('/healthz'),
  ]) {
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'");
    assert.match(String(headers['strict-transport-security']), /^max-age=\d+/);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers['server'], undefined);
    assert.equal(headers['etag'], undefined);
  }
});

test('JSON has no charset, whoever answers with it', async (t) => {
  const service = await startService(t);
  const agent = supertest(service.url);
  for (const path of ['/healthz', '/openapi.json', '/nowhere']) {
    const [got, headed] = [await agent.get(path), await agent.head(path)];
    assert.equal(got.headers['content-type'], 'application/json', path);
    assert.equal(headed.headers['content-type'], 'application/json', path);
    assert.equal(headed.text ?? '', '');
  }
  const health = await agent.get('/healthz').expect(200, { status: 'ok' });
  assert.equal(health.headers['content-length'], '15');
});

test('CORS: listed origins and no others', async (t) => {
  const listed = 'https://portal.example';
  const service = await startService(t, { environment: { CORS_ORIGINS: `${listed},http://localhost:3000` } });
  const agent = supertest(service.url);
  const preflight = (origin: string) =>
    agent.options(service.createPath()).set({
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,client-request-id,content-type,sdkversion',
    });

  const answered = await preflight(listed);
  assert.equal(answered.status, 204);
  assert.equal(answered.headers['access-control-allow-origin'], listed);
  assert.match(String(answered.headers['access-control-allow-methods']), /\bPOST\b/);
  const allowed = String(answered.headers['access-control-allow-headers']).toLowerCase().split(',');
  for (const name of [
    'authorization',
    'client-request-id',
    'content-type',
    'sdkversion',
    'idempotency-key',
    'prefer',
    'traceparent',
  ]) {
    assert.ok(allowed.includes(name), name);
  }
  assert.equal(answered.headers['access-control-allow-credentials'], undefined);
  assert.match(String(answered.headers['vary']), /\bOrigin\b/);

  for (const origin of [
    'https://evil.example',
    'null',
    'https://portal.example.evil.example',
    'http://portal.example',
    `${listed}:444`,
  ]) {
    const refused = await preflight(origin);
    assert.equal(refused.status, 405, origin);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
    assert.equal(refused.headers['access-control-allow-methods'], undefined);
    assert.match(String(refused.headers['vary']), /\bOrigin\b/);
  }

  const error = await agent.post(service.createPath()).set({ origin: listed });
  assert.equal(error.status, 401);
  assert.equal(error.headers['access-control-allow-origin'], listed);
  const exposed = String(error.headers['access-control-expose-headers']).toLowerCase().split(',');
  for (const name of [
    'request-id',
    'client-request-id',
    'ratelimit',
    'ratelimit-policy',
    'retry-after',
    'www-authenticate',
    'preference-applied',
  ]) {
    assert.ok(exposed.includes(name), name);
  }
  const plain = await agent.get('/healthz');
  assert.equal(plain.headers['access-control-allow-origin'], undefined);
  assert.match(String(plain.headers['vary']), /\bOrigin\b/);
  const noPreflight = await agent.options(service.createPath()).set({ origin: listed });
  assert.equal(noPreflight.status, 405);
});

test('without CORS_ORIGINS no origin is answered', async (t) => {
  const service = await startService(t);
  const { headers, status } = await supertest(service.url)
    .options(service.createPath())
    .set({ origin: 'https://portal.example', 'access-control-request-method': 'POST' });
  assert.equal(status, 405);
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('no 401 goes without a challenge, whatever part refused', async (t) => {
  const service = await startService(t, {
    replace: () => ({ authenticate: async () => Promise.reject(new ProblemError('token_expired')) }),
  });
  const { headers, status } = await create(service);
  assert.equal(status, 401);
  assert.equal(headers['www-authenticate'], 'Bearer');
});
