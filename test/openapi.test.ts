import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import supertest from 'supertest';
import { createAdminServer } from '../src/admin/admin-server.ts';
import { OPERATIONS, type Operation } from '../src/graph/operations.ts';
import { OPENAPI } from '../src/openapi/document.ts';
import { ADMIN_PATHS } from '../src/openapi/admin-paths.ts';
import { checkAnswer } from './support/answer-contract.ts';
import { fetchChecked } from './support/fetch-checked.ts';
import { startService, type Service, type ServiceOptions } from './support/service.ts';

const root = join(import.meta.dirname, '..');
const file = readFileSync(join(root, 'openapi.json'), 'utf8');

test('an answer that is not documented is noticed', () => {
  const ids = { 'request-id': randomUUID(), 'client-request-id': randomUUID() };
  const always = { ...ids, vary: 'Origin', 'cache-control': 'no-store' };
  const json = { ...always, 'content-type': 'application/json' };
  const ok = '{"status":"ok"}';
  const answer = (status: number, headers: Record<string, string>, body: string, target = '/healthz') => [
    ...checkAnswer({ method: 'GET', target, status, headers, body: Buffer.from(body) }),
  ];
  assert.deepEqual(answer(200, json, ok), []);
  assert.equal(answer(200, json, '{"status":"ok","more":1}').length, 1);
  assert.equal(answer(200, { 'content-type': 'application/json' }, ok).length, 4);
  assert.equal(answer(200, { ...always, 'content-type': 'text/html' }, 'ok').length, 1);
  assert.deepEqual(answer(201, json, '{}'), ['201 is not documented']);
  assert.deepEqual(answer(200, { ...json, 'x-powered-by': 'Express' }, ok), [
    'the header x-powered-by is not documented',
  ]);
  assert.deepEqual(answer(200, { ...json, ratelimit: '"address";r=1;t=1' }, ok), [
    'the header ratelimit is not documented',
  ]);
  for (const status of [404, 429, 503]) {
    assert.deepEqual(
      answer(status, json, '{}'),
      [`${status} is not documented`],
      'what is documented elsewhere',
    );
  }
  assert.deepEqual(answer(200, json, ok, '/livez'), ['200 is not documented'], 'it is of the admin port');
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
        await service.stop();
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

  test('the admin port', async (t) => {
    const reached = new Set<string>();
    const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'a_metric 1\n' };
    const broken = () => {
      throw new Error('a crash');
    };
    for (const parts of [
      { metrics, isReady: () => [] },
      { metrics: { ...metrics, text: broken }, isReady: () => ['entra_keys'] },
      { metrics, isReady: broken },
    ]) {
      const server = createAdminServer(parts).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await once(server, 'listening');
      for (const path of Object.keys(ADMIN_PATHS)) {
        const url = `http://127.0.0.1:${Object(server.address()).port}${path}`;
        reached.add(`${path} ${(await fetchChecked(url, {}, 'admin')).status}`);
      }
      server.closeAllConnections();
    }
    const documented = Object.entries(ADMIN_PATHS).flatMap(([path, { get }]) =>
      Object.keys(get.responses).map((status) => `${path} ${status}`),
    );
    assert.deepEqual([...reached].toSorted(), documented.toSorted());
  });

  test('the routes without a token', async (t) => {
    const reached = new Set<string>();
    const paths = ['/healthz', '/openapi.json', '/docs'];
    for (const options of [
      {},
      { environment: { RATE_LIMIT_ADDRESS: '1/60', ENABLE_DOCS: 'false' } },
      { replace: () => ({ isDraining: () => true }) },
      {
        replace: () => ({
          limiter: {
            decide: () => Promise.reject(new Error('a crash')),
            refund: async () => undefined,
            peek: () => [],
          },
        }),
      },
    ] satisfies ServiceOptions[]) {
      const service = await startService(t, options);
      for (const path of [...paths.toReversed(), ...paths]) await supertest(service.url).get(path);
      await service.stop();
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
