import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { test, type TestContext } from 'node:test';
import supertest, { type Response } from 'supertest';
import { PROBLEMS, type ProblemCode } from '../../src/errors.ts';
import { READER } from '../../sandbox/directory.ts';
import { startService, type Service } from '../support/service.ts';
import { PROBLEM_CASES, type Asked } from './problem-cases.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CLIENT_REQUEST_ID = 'C11e9700-0000-4000-8000-00000000abcd';

async function send(service: Service, asked: Asked, accept?: string): Promise<Response> {
  const withToken = !('token' in asked) || asked.token !== undefined;
  const headers = {
    'content-type': 'application/json',
    'client-request-id': CLIENT_REQUEST_ID,
    ...(withToken && (await service.bearer(asked.token))),
    ...(accept !== undefined && { accept }),
    ...asked.headers,
  };
  const { method = 'POST', path = service.createPath(), body = '{"tokenValidityInSeconds":3600}' } = asked;
  const agent = supertest(service.url);
  if (method === 'GET') return agent.get(path).set(headers);
  return (method === 'PUT' ? agent.put(path) : agent.post(path)).set(headers).send(body);
}

function checkHeaders(code: ProblemCode, { headers, status }: Response): void {
  assert.equal(status, PROBLEMS[code].status);
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(String(headers['request-id']), GUID);
  assert.equal(headers['client-request-id'], CLIENT_REQUEST_ID);
  assert.equal(headers['x-powered-by'], undefined);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  if (status === 429 || status === 503) assert.match(String(headers['retry-after']), /^[1-9]\d*$/);
  const challenge = headers['www-authenticate'];
  if (status === 401 || code === 'insufficient_scope') assert.match(String(challenge), /^Bearer\b/);
  else assert.equal(challenge, undefined);
  if (code === 'insufficient_scope')
    assert.match(String(challenge), /error="insufficient_scope".*scope="[^"]+"/);
  if (code === 'missing_token') assert.doesNotMatch(String(challenge), /error=/);
  assert.equal(headers['allow'], code === 'method_not_allowed' ? 'POST' : undefined);
}

function checkEnvelope(code: ProblemCode, { headers, text }: Response): void {
  assert.equal(headers['content-type'], 'application/json');
  const body: unknown = JSON.parse(text);
  const { message, innerError } = Object(Object(body).error);
  assert.equal(typeof message, 'string');
  assert.match(innerError.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  assert.ok(Math.abs(Date.now() - Date.parse(`${innerError.date}Z`)) < 60_000);
  assert.deepEqual(body, {
    error: {
      code: PROBLEMS[code].graphCode,
      message,
      innerError: {
        code,
        date: innerError.date,
        'request-id': headers['request-id'],
        'client-request-id': CLIENT_REQUEST_ID,
      },
    },
  });
}

function checkDetails(code: ProblemCode, { headers, text, status }: Response): void {
  assert.equal(headers['content-type'], 'application/problem+json');
  const body: unknown = JSON.parse(text);
  const { detail } = Object(body);
  assert.equal(typeof detail, 'string');
  const quota = {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    'violated-policies': ['user'],
  };
  assert.deepEqual(body, {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail,
    code,
    'request-id': headers['request-id'],
    'client-request-id': CLIENT_REQUEST_ID,
    ...(code === 'rate_limited' && quota),
  });
}

function checkSilence(service: Service, { text }: Response): void {
  for (const secret of [
    service.entra.url,
    service.graph.url,
    service.entra.clientSecret,
    'a bug',
    '    at ',
    'eyJ',
    'fef.',
    'AADSTS',
  ]) {
    assert.ok(!text.includes(secret), `the answer holds ${secret}: ${text}`);
  }
}

test('the cases are the rows of the table, no more and no fewer', () => {
  assert.deepEqual(Object.keys(PROBLEM_CASES).toSorted(), Object.keys(PROBLEMS).toSorted());
});

test('every row of the table, over HTTP', async (t: TestContext) => {
  const shared = await startService(t);
  for (const code of Object.keys(PROBLEMS).filter((name): name is ProblemCode => name in PROBLEMS)) {
    const { options, prepare, ask, slow } = PROBLEM_CASES[code];
    await t.test(code, async (t) => {
      const service = options ? await startService(t, options) : shared;
      const toAsked = () => (typeof ask === 'function' ? ask(service) : ask);

      await prepare?.(service);
      const plain = await send(service, toAsked());
      checkHeaders(code, plain);
      checkEnvelope(code, plain);
      checkSilence(service, plain);

      if (slow) return;
      service.graph.faults.clear();
      await prepare?.(service);
      const accept =
        code === 'not_acceptable' ? 'text/html, application/problem+json;q=0' : 'application/problem+json';
      const details = await send(service, toAsked(), accept);
      checkHeaders(code, details);
      if (code !== 'not_acceptable') checkDetails(code, details);

      service.graph.faults.clear();
      service.entra.refuse(READER.objectId, undefined);
    });
  }
});
