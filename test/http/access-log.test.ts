import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLING_CLIENT_ID, OPERATOR, TENANT_ID } from '../../sandbox/directory.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';

async function create(service: Service, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${service.url}${service.createPath()}?access_token=query-secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'access-log.test', ...headers },
    body: '{"tokenValidityInSeconds":60}',
  });
}

const readAnswered = (service: Service) =>
  service
    .logged()
    .split('\n')
    .filter((line) => line.includes('"message":"answered"'))
    .map((line) => Object(JSON.parse(line)));

test('each request is one line with its ids, who and what', async (t) => {
  const service = await startService(t);
  const done = await create(service, await service.bearer());
  const refused = await create(service, {});
  const [first, second] = await waitUntil(() => {
    const lines = readAnswered(service);
    return lines.length === 2 && lines;
  });
  const { time, durationMs, ...rest } = first;
  assert.ok(!Number.isNaN(Date.parse(time)) && durationMs >= 0);
  assert.deepEqual(rest, {
    level: 'info',
    message: 'answered',
    requestId: done.headers.get('request-id'),
    clientRequestId: done.headers.get('client-request-id'),
    method: 'POST',
    path: service.createPath(),
    operation: 'createToken',
    status: 204,
    address: '127.0.0.1',
    tenantId: TENANT_ID,
    objectId: OPERATOR.objectId,
    clientId: CALLING_CLIENT_ID,
  });
  assert.equal(second.requestId, refused.headers.get('request-id'));
  assert.equal(second.status, 401);
  assert.equal(second.code, 'missing_token');
  assert.equal(second.objectId, undefined);
});

test('security: nothing secret is logged or audited, at debug, on success and on every kind of failure', async (t) => {
  const canary = 'CaNaRy77';
  const service = await startService(t, { entra: { canary }, graph: { canary } });
  const headers = await service.bearer();
  const [, payload = '', signature = ''] = headers.authorization.split('.');
  const { faults } = service.graph;
  await create(service, headers);
  for (const body of ['graph', 'intune', 'intune-nested', 'html', 'broken'] as const) {
    faults.add({ operation: 'createToken', kind: 'answer', status: 400, body });
    await create(service, headers);
  }
  service.entra.refuse('*', 'invalid_client');
  await create(service, await service.bearer({ user: { ...OPERATOR, objectId: TENANT_ID } }));
  await create(service, { authorization: headers.authorization.slice(0, -9) });
  await create(service, { authorization: `${headers.authorization} x` });
  await fetch(`${service.url}/${headers.authorization.slice('Bearer '.length)}`);
  const kept = service.logged() + JSON.stringify(await service.audited());
  for (const secret of [
    canary,
    payload,
    signature.slice(0, -9),
    service.entra.clientSecret,
    'query-secret',
  ]) {
    assert.ok(!kept.includes(secret), `${secret} stands in the log or the journal`);
  }
});

test('requests are counted by operation and status, refusals by code', async (t) => {
  const service = await startService(t);
  await create(service, await service.bearer());
  await create(service, {});
  await create(service, {});
  await fetch(`${service.url}/nowhere`);
  await waitUntil(() => readAnswered(service).length === 4);
  const text = await service.metrics.text();
  for (const sample of [
    'http_requests_total{operation="createToken",status="204"} 1',
    'http_requests_total{operation="createToken",status="401"} 2',
    'http_requests_total{operation="none",status="404"} 1',
    'refusals_total{code="missing_token"} 2',
    'refusals_total{code="unknown_route"} 1',
    'exchange_calls_total{result="success"} 1',
    'graph_calls_total{result="success"} 1',
    'cache_lookups_total{cache="exchange",result="miss"} 1',
    'limiter_decisions_total{tier="address",result="passed"} 4',
  ]) {
    assert.ok(text.includes(`enrollment_token_bff_${sample}\n`), sample);
  }
  assert.match(text, /http_request_duration_seconds_count\{operation="createToken"\} 3/);
});

/** A clock that stands still: at the turn of a minute the counts would be written, and the next refusal be a first one again. */
function inOneMinute(): Readonly<{ now: () => number }> {
  const begin = Math.floor(Date.now() / 60_000) * 60_000;
  return { now: () => begin };
}

test('a refusal of a known caller names the actor, one of a stranger the address; further ones are counted', async (t) => {
  const service = await startService(t, inOneMinute());
  const reader = await service.bearer({ scope: 'EnrollmentToken.Read' });
  for (let count = 0; count < 3; count += 1) {
    await create(service, reader);
    await create(service, {});
  }
  const source = { address: '127.0.0.1', userAgent: 'access-log.test' };
  const toShown = ({
    kind,
    action,
    actor,
    source,
    status,
    code,
    count,
  }: Readonly<Record<string, unknown>>) => ({
    kind,
    action,
    objectId: Object(actor).objectId,
    source,
    status,
    code,
    count,
  });
  const known = {
    kind: 'refusal',
    action: 'enrollmentToken.create',
    objectId: OPERATOR.objectId,
    source,
    status: 403,
    code: 'insufficient_scope',
    count: undefined,
  };
  const stranger = { ...known, objectId: undefined, status: 401, code: 'missing_token' };
  assert.deepEqual((await service.audited('refusal')).map(toShown), [known, stranger]);
});

test('refusals of Graph, the limits and the body are refusals of the actor', async (t) => {
  const service = await startService(t, { ...inOneMinute(), environment: { RATE_LIMIT_USER: '2/600' } });
  service.graph.faults.add({ operation: 'createToken', kind: 'answer', status: 403 });
  const headers = await service.bearer();
  await create(service, headers);
  await create(service, { ...headers, 'content-type': 'text/plain' });
  await create(service, headers);
  await create(service, headers);
  const refusals = await service.audited('refusal');
  assert.deepEqual(
    refusals.map(({ status, code, actor }) => [status, code, Object(actor).objectId]),
    [
      [403, 'graph_forbidden', OPERATOR.objectId],
      [415, 'unsupported_media_type', OPERATOR.objectId],
      [429, 'rate_limited', OPERATOR.objectId],
    ],
  );
});
