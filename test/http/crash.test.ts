import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Parts } from '../../src/app.ts';
import { failClosed } from '../../src/http/fail-closed.ts';
import type { Step } from '../../src/http/request-scope.ts';
import type { Outbound } from '../../src/outbound.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { codeOf } from './raw-http.ts';

async function create(service: Service, signal?: AbortSignal): Promise<Response> {
  return fetch(service.url + service.createPath(), {
    method: 'POST',
    headers: { ...(await service.bearer()), 'content-type': 'application/json' },
    body: '{"tokenValidityInSeconds":60}',
    signal: signal ?? null,
  });
}

/** What code can throw, an error or not. */
const THROWN: readonly (readonly [string, unknown])[] = [
  ['an error', new TypeError('a bug')],
  ['undefined', undefined],
  ['null', null],
  ['a string', 'a bug'],
  ['route', 'route'],
  ['router', 'router'],
  ['a number', 0],
  ['an object', { status: 200, statusCode: 200, type: 'entity.too.large' }],
  [
    'an error with a status',
    Object.assign(new Error('a bug'), { status: 204, statusCode: 204, headers: { a: 'b' } }),
  ],
];

function raise(thrown: unknown): never {
  // oxlint-disable-next-line typescript/only-throw-error -- that is the question here
  throw thrown;
}

/** Each part as one that throws, at once or later. */
const CRASHES: Readonly<Record<string, (parts: Parts, thrown: unknown) => Partial<Parts>>> = {
  sourceAddress: ({ sourceAddress }, thrown) => ({
    sourceAddress: { ...sourceAddress, read: () => raise(thrown) },
  }),
  'limiter, at once': ({ limiter }, thrown) => ({ limiter: { ...limiter, decide: () => raise(thrown) } }),
  'limiter, later': ({ limiter }, thrown) => ({
    limiter: { ...limiter, decide: async () => raise(thrown) },
  }),
  'authenticate, at once': (_, thrown) => ({ authenticate: () => raise(thrown) }),
  'authenticate, later': (_, thrown) => ({ authenticate: async () => raise(thrown) }),
  authorise: (_, thrown) => ({ authorise: () => raise(thrown) }),
  isDraining: (_, thrown) => ({ isDraining: () => raise(thrown) }),
  'enrollment, at once': ({ enrollment }, thrown) => ({
    enrollment: { ...enrollment, create: () => raise(thrown) },
  }),
  'enrollment, later': ({ enrollment }, thrown) => ({
    enrollment: { ...enrollment, create: async () => raise(thrown) },
  }),
};

for (const [name, crash] of Object.entries(CRASHES)) {
  test(`security: a crash in ${name} is a 500, whatever is thrown, and lets nothing pass`, async (t) => {
    let thrown: unknown;
    let armed = true;
    const service = await startService(t, {
      replace: (parts) => {
        const crashing = crash(parts, undefined);
        const [part] = Object.keys(crashing);
        assert.ok(part !== undefined);
        // The real part again once disarmed.
        const choose = () => Object(armed ? crash(parts, thrown) : parts)[part];
        const isFunction = typeof choose() === 'function';
        return {
          [part]: isFunction
            ? (...args: readonly unknown[]) => choose()(...args)
            : new Proxy(
                {},
                {
                  get:
                    (_, member) =>
                    (...args: readonly unknown[]) =>
                      Reflect.get(choose(), member)(...args),
                },
              ),
        };
      },
    });
    for (const [what, value] of THROWN) {
      thrown = value;
      const answer = await create(service);
      const body = await answer.text();
      assert.equal(answer.status, 500, what);
      assert.doesNotMatch(body, /a bug|    at |<html/);
      // Before a request has its ids there is no envelope to put them into.
      if (name !== 'sourceAddress') assert.equal(codeOf({ body }), 'internal_error', what);
    }
    assert.equal(service.graph.journal.requests.length, 0);
    assert.match(service.logged(), /"level":"error"/);
    armed = false;
    assert.equal((await create(service)).status, 204, 'the next request is served');
  });
}

test('security: a step that throws undefined or "route" is not skipped', () => {
  for (const [what, value] of THROWN) {
    for (const step of [() => raise(value), async () => raise(value)] satisfies readonly Step[]) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- neither request nor response is looked at
      const nothing = {} as never;
      void failClosed(step)(nothing, nothing, (error?: unknown) => {
        assert.ok(error instanceof Error, what);
      });
    }
  }
});

test('a crash after the intent leaves an outcome: failed before the call to Graph, unknown behind it', async (t) => {
  const service = await startService(t);
  const crash = () => raise(new TypeError('a bug'));
  const crashing = t.mock.method(service.metrics, 'exchange', crash);
  assert.equal((await create(service)).status, 500);
  crashing.mock.restore();
  t.mock.method(service.metrics, 'graphCall', crash);
  const answer = await create(service);
  assert.equal(answer.status, 502);
  assert.equal(codeOf({ body: await answer.text() }), 'outcome_unknown');
  const outcomes = await service.audited('outcome');
  assert.deepEqual(
    outcomes.map(({ result, status, code }) => [result, status, code]),
    [
      ['failed', 500, 'internal_error'],
      ['unknown', 502, 'outcome_unknown'],
    ],
  );
  assert.equal(service.graph.journal.commits.length, 1);
});

test('the error that could not be answered is a bare 500, never Express’s page', async (t) => {
  const service = await startService(t, {
    replace: () => ({ recordRefusal: async () => Promise.reject(new Error('a bug')) }),
  });
  const answer = await fetch(`${service.url}/nowhere`);
  assert.equal(answer.status, 500);
  assert.equal(await answer.text(), '');
  assert.ok(answer.headers.get('request-id'));
});

test('an error line holds the request id of the answer', async (t) => {
  const service = await startService(t, {
    replace: ({ enrollment }) => ({ enrollment: { ...enrollment, create: () => raise(new Error('a bug')) } }),
  });
  const answer = await create(service);
  const lines = service
    .logged()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));
  assert.equal(lines.length, 1);
  assert.ok(lines[0]?.includes(`"requestId":"${answer.headers.get('request-id')}"`));
  assert.ok(lines[0]?.includes('a bug'), 'the log has the cause, the answer has not');
});

test('a caller that leaves during its body is no refusal, and nothing is done', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.write(
    `POST ${service.createPath()} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{"token`,
  );
  await waitUntil(() => service.entra.journal.counts.keys > 0);
  await fetch(`${service.url}/healthz`);
  socket.resetAndDestroy();
  await waitUntil(() => service.logged().includes('"status":499'));
  assert.deepEqual(
    (await service.audited()).map(({ kind }) => kind),
    ['start'],
  );
  assert.equal(service.graph.journal.requests.length, 0);
  assert.doesNotMatch(service.logged(), /"level":"error"/);
  assert.equal((await create(service)).status, 204);
});

for (const stage of ['authentication', 'the limits'] as const) {
  test(`a caller that leaves during ${stage} gets nothing done`, async (t) => {
    const caller = new AbortController();
    const leave = async () => {
      caller.abort();
      await waitUntil(() => service.logged().includes('"status":499'));
    };
    const service: Service = await startService(t, {
      replace: ({ authenticate, limiter }) => ({
        authenticate: async (rawHeaders) => {
          if (stage === 'authentication') await leave();
          return authenticate(rawHeaders);
        },
        limiter: {
          ...limiter,
          decide: async (keys) => {
            if (stage === 'the limits' && keys.length > 1) await leave();
            return limiter.decide(keys);
          },
        },
      }),
    });
    await assert.rejects(create(service, caller.signal));
    await service.stop();
    assert.equal(service.graph.journal.requests.length, 0);
    assert.equal(service.entra.journal.exchanges.length, 0);
  });
}

/** A service, and a caller that leaves it while the call to that path is under way. */
async function startLeaving(
  t: TestContext,
  path: string,
  environment: Readonly<Record<string, string>> = {},
) {
  const caller = new AbortController();
  const send =
    (next: Outbound): Outbound =>
    async (request) => {
      const answer = next(request);
      if (request.url.endsWith(path)) {
        caller.abort();
        await waitUntil(() => service.logged().includes('"status":499'));
      }
      return answer;
    };
  const service: Service = await startService(t, { environment, wrap: { send, append: (append) => append } });
  return { service, create: () => create(service, caller.signal) };
}

test('a caller that leaves during the call to Graph: what was begun ends, on record', async (t) => {
  const { service, create } = await startLeaving(t, '/createToken');
  await assert.rejects(create());
  const outcome = await waitUntil(async () => (await service.audited('outcome'))[0]);
  assert.equal(outcome['result'], 'success');
  assert.equal(service.graph.journal.commits.length, 1);
});

test('the deadline outlives a caller that leaves', async (t) => {
  const { service, create } = await startLeaving(t, '/token', { REQUEST_DEADLINE_MS: '400' });
  service.entra.faults.add({ operation: 'token', kind: 'hang' });
  await assert.rejects(create());
  const outcome = await waitUntil(async () => (await service.audited('outcome'))[0]);
  assert.equal(outcome['code'], 'upstream_timeout');
});
