import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import supertest from 'supertest';
import { PROBLEMS } from '../src/errors.ts';
import { OPERATIONS, type Operation } from '../src/graph/operations.ts';
import { OPENAPI } from '../src/openapi/document.ts';
import { OUTSIDE, toProblemCodes } from '../src/openapi/problem-codes.ts';
import { checkAnswer } from './support/answer-contract.ts';
import { startService, type Service, type ServiceOptions } from './support/service.ts';

const root = join(import.meta.dirname, '..');
const file = readFileSync(join(root, 'openapi.json'), 'utf8');

test('openapi.json is what the tables in the code make of it (npm run openapi)', () => {
  assert.deepEqual(JSON.parse(file), JSON.parse(JSON.stringify(OPENAPI)));
});

test('the types of the client are those of openapi.json (npm run openapi)', () => {
  const types = readFileSync(join(root, 'src/client/paths.ts'), 'utf8');
  assert.ok(
    types.startsWith(`// Of openapi.json with SHA-256 ${createHash('sha256').update(file).digest('hex')}\n`),
  );
});

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(file));
  assert.ok(valid, JSON.stringify(errors));
});

test('every problem of the table is documented somewhere', () => {
  const documented = new Set<string>([...OUTSIDE, ...OPERATIONS.flatMap(toProblemCodes)]);
  assert.deepEqual(
    Object.keys(PROBLEMS).filter((code) => !documented.has(code)),
    [],
  );
});

test('an answer that is not documented is noticed', () => {
  const answer = (statusCode: number, headers: Record<string, string>, body: string) => {
    const request = { url: '/healthz', method: 'GET' };
    const response = { statusCode, getHeader: (name: string) => headers[name.toLowerCase()] };
    return [...checkAnswer(Object(request), Object(response), Buffer.from(body))];
  };
  const ids = { 'request-id': randomUUID(), 'client-request-id': randomUUID() };
  const json = { ...ids, 'content-type': 'application/json' };
  assert.deepEqual(answer(200, json, '{"status":"ok"}'), []);
  assert.equal(answer(200, json, '{"status":"ok","more":1}').length, 1);
  assert.equal(answer(200, { 'content-type': 'application/json' }, '{"status":"ok"}').length, 2);
  assert.equal(answer(200, { ...ids, 'content-type': 'text/html' }, 'ok').length, 1);
  assert.deepEqual(answer(201, json, '{}'), ['201 is not documented']);
});

const SET = 'androidDeviceOwnerEnrollmentProfiles';
const SCOPE = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';

type Asked = Readonly<{
  headers?: Record<string, string>;
  body?: string;
  bearer?: boolean;
  query?: string;
  scope?: string;
}>;

async function ask(service: Service, { method, path, body: kind }: Operation, asked: Asked = {}) {
  const id = service.graph.profiles.deviceOwner;
  const url = `/beta/deviceManagement/${SET}${path.replace('{id}', id)}${asked.query ?? ''}`;
  const json = kind === 'validity' ? { 'content-type': 'application/json' } : {};
  const body = asked.body ?? (kind === 'validity' ? '{"tokenValidityInSeconds":3600}' : '');
  const client = supertest(service.url);
  const request = (method === 'GET' ? client.get(url) : client.post(url))
    .set(asked.bearer === false ? {} : await service.bearer({ scope: asked.scope ?? SCOPE }))
    .set({ ...json, ...asked.headers });
  return body === '' ? request : request.send(body);
}

/** Each way of getting a status from an operation, and what the service needs for it. */
const WAYS: readonly Readonly<{
  options?: ServiceOptions;
  ask: (service: Service, operation: Operation) => Promise<unknown>;
}>[] = [
  {
    ask: async (service, operation) => {
      const { graph } = service;
      graph.store.createToken(SET, graph.profiles.deviceOwner, 3600);
      await ask(service, operation);
      await ask(service, operation, { headers: { prefer: 'return=representation' } });
      await ask(service, operation, { body: '{', query: operation.query ? '?x=y' : '' });
      await ask(service, operation, { bearer: false });
      await ask(service, operation, { scope: 'Something.Else' });
      await ask(service, operation, { headers: { accept: 'text/html' } });
      await ask(service, operation, { body: `{"tokenValidityInSeconds":${' '.repeat(5000)}1}` });
      await ask(service, operation, { headers: { 'content-encoding': 'gzip' } });
      const key = { 'idempotency-key': randomUUID() };
      await ask(service, operation, { headers: key });
      await ask(service, operation, { headers: key, body: '{"tokenValidityInSeconds":7200}' });
      for (const status of [404, 409, 302, 503]) {
        graph.faults.add({ kind: 'answer', status, times: 1 });
        await ask(service, operation);
        graph.faults.clear();
      }
    },
  },
  {
    options: { environment: { RATE_LIMIT_USER: '1/60' } },
    ask: async (service, operation) => {
      await ask(service, operation);
      await ask(service, operation);
    },
  },
  {
    options: {
      replace: () => ({
        authorise: () => {
          throw new Error('a crash');
        },
      }),
    },
    ask,
  },
  {
    options: { environment: { REQUEST_DEADLINE_MS: '300' } },
    ask: async (service, operation) => {
      service.entra.faults.add({ kind: 'hang', operation: 'token', times: 1 });
      await ask(service, operation);
      service.entra.faults.clear();
    },
  },
];

describe('every documented status of every route is reached', () => {
  for (const operation of OPERATIONS) {
    test(operation.name, async (t) => {
      const reached = new Set<string>();
      for (const way of WAYS) {
        const service = await startService(t, way.options);
        await way.ask(service, operation);
        for (const status of service.statuses) reached.add(status);
      }
      const route = `${operation.method.toLowerCase()} /beta/deviceManagement/{set}${operation.path}`;
      const documented: unknown = Reflect.get(OPENAPI.paths, `/beta/deviceManagement/{set}${operation.path}`);
      const responses = Object.keys(Object(documented)[operation.method.toLowerCase()].responses);
      assert.deepEqual(
        responses.filter((status) => !reached.has(`${route} ${status}`)),
        [],
      );
    });
  }

  test('the routes without a token', async (t) => {
    const reached = new Set<string>();
    const paths = ['/healthz', '/openapi.json', '/docs'];
    for (const options of [
      {},
      { environment: { RATE_LIMIT_ADDRESS: '1/60', ENABLE_DOCS: 'false' } },
      { replace: () => ({ isDraining: () => true }) },
      {
        replace: () => ({
          limiter: { decide: () => Promise.reject(new Error('a crash')), refund: async () => {} },
        }),
      },
    ] satisfies ServiceOptions[]) {
      const service = await startService(t, options);
      for (const path of [...paths.toReversed(), ...paths]) await supertest(service.url).get(path);
      for (const status of service.statuses) reached.add(status);
    }
    for (const path of paths) {
      const documented: unknown = Reflect.get(OPENAPI.paths, path);
      const responses = Object.keys(Object(documented).get.responses);
      assert.deepEqual(
        responses.filter((status) => !reached.has(`get ${path} ${status}`)),
        [],
        path,
      );
    }
  });
});

describe('GET /docs', () => {
  test('a page from here alone, whose scripts are files', async (t) => {
    const service = await startService(t);
    const { status, text, headers } = await supertest(service.url).get('/docs');
    assert.equal(status, 200);
    const policy = headers['content-security-policy'] ?? '';
    assert.match(policy, /script-src 'self';/);
    assert.doesNotMatch(text, /<script>|https?:/);
    for (const [, asset = ''] of text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) {
      const answer = await supertest(service.url).get(`/${asset}`);
      assert.equal(answer.status, 200, asset);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    await supertest(service.url).get('/docs/../package.json').expect(404);
    await supertest(service.url).get('/docs/swagger-ui-bundle.js.map').expect(404);
    await supertest(service.url).post('/docs').expect(405);
    assert.deepEqual((await supertest(service.url).get('/openapi.json')).body, JSON.parse(file));
  });

  test('ENABLE_DOCS=false: there is no such route', async (t) => {
    const service = await startService(t, { environment: { ENABLE_DOCS: 'false' } });
    for (const path of ['/docs', '/docs/swagger-ui.css']) await supertest(service.url).get(path).expect(404);
    await supertest(service.url).get('/openapi.json').expect(200);
  });
});
