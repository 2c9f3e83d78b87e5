import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import type { RateLimits } from '../../src/limits/tier.ts';
import { startService, type Service } from '../support/service.ts';

/** `"user";r=29;t=2` and its like, by tier. */
function readItems(value: string | null): Readonly<Record<string, string>> {
  const items = value === null ? [] : value.split(', ');
  return Object.fromEntries(
    items.map((item) => {
      const [, tier = '', rest = ''] = /^"(\w+)";(.*)$/.exec(item) ?? [];
      return [tier, rest];
    }),
  );
}

const state = ({ headers }: Response) => readItems(headers.get('ratelimit'));
const policy = ({ headers }: Response) => readItems(headers.get('ratelimit-policy'));

async function create(service: Service, headers?: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(service.url + service.createPath(), {
    method: 'POST',
    headers: { ...(headers ?? (await service.bearer())), 'content-type': 'application/json' },
    body: '{"tokenValidityInSeconds":60}',
  });
}

const NO_LIMITS: RateLimits = {
  address: 'off',
  user: 'off',
  client: 'off',
  tenant: 'off',
  profile: 'off',
  graph: 'off',
};
const USER_LIMIT = { count: 1, seconds: 3600, shadow: false };

const OFF = {
  RATE_LIMIT_ADDRESS: 'off',
  RATE_LIMIT_USER: 'off',
  RATE_LIMIT_CLIENT: 'off',
  RATE_LIMIT_TENANT: 'off',
  RATE_LIMIT_PROFILE: 'off',
  RATE_LIMIT_GRAPH: 'off',
};

/** Where the time stands still for the limits: nothing comes back while a test runs, however long that is. */
function startTimeless(t: TestContext, options: Parameters<typeof startService>[1]): Promise<Service> {
  const start = Date.now();
  return startService(t, { ...options, limits: { now: () => start } });
}

test('every answer that got as far as the limits says where they stand', async (t) => {
  const service = await startTimeless(t, {
    environment: {
      RATE_LIMIT_ADDRESS: '60/60',
      RATE_LIMIT_USER: '30/60',
      RATE_LIMIT_CLIENT: '40/60;shadow',
      RATE_LIMIT_TENANT: '60/60',
      RATE_LIMIT_PROFILE: '10/60',
      RATE_LIMIT_GRAPH: '50/20',
    },
  });
  const done = await create(service);
  assert.equal(done.status, 204);
  assert.deepEqual(policy(done), {
    address: 'q=60;w=60',
    user: 'q=30;w=60',
    tenant: 'q=60;w=60',
    profile: 'q=10;w=60',
    graph: 'q=50;w=20',
  });
  assert.deepEqual(state(done), {
    address: 'r=59;t=1',
    user: 'r=29;t=2',
    tenant: 'r=59;t=1',
    profile: 'r=9;t=6',
    graph: 'r=49;t=1',
  });

  const stranger = await create(service, {});
  assert.equal(stranger.status, 401);
  assert.deepEqual(policy(stranger), { address: 'q=60;w=60' });
  assert.equal(state(stranger)['address'], 'r=58;t=2');
  const nowhere = await fetch(`${service.url}/nowhere`);
  assert.equal(state(nowhere)['address'], 'r=57;t=3');
  assert.equal(
    (await fetch(`${service.url}/healthz`)).headers.get('ratelimit'),
    null,
    'health is not limited',
  );
});

for (const tier of ['user', 'client', 'tenant', 'profile', 'graph'] as const) {
  test(`429 names the ${tier} tier, and a refused request costs nothing`, async (t) => {
    const name = `RATE_LIMIT_${tier.toUpperCase()}`;
    const environment = { ...OFF, RATE_LIMIT_ADDRESS: '3/60', [name]: '1/60' };
    const service = await startTimeless(t, { environment });
    assert.equal((await create(service)).status, 204);

    // More often than the address tier has room for, were it charged.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const refused = await create(service);
      assert.equal(refused.status, 429);
      const { message } = Object(Object(await refused.json()).error);
      assert.match(message, new RegExp(`"${tier}"`));
      assert.equal(refused.headers.get('retry-after'), '60');
      assert.equal(state(refused)['address'], 'r=2;t=20', 'given back, and told so');
      assert.equal(state(refused)[tier], 'r=0;t=60');
    }
    assert.equal(service.graph.journal.commits.length, 1);
    assert.equal((await service.audited('intent')).length, 1);
    assert.equal((await service.audited('refusal'))[0]?.['code'], 'rate_limited');
  });
}

test('the address tier refuses before a token is looked at', async (t) => {
  let looked = 0;
  const service = await startTimeless(t, {
    environment: { ...OFF, RATE_LIMIT_ADDRESS: '2/60' },
    replace: ({ authenticate }) => ({
      authenticate: async (rawHeaders) => {
        looked += 1;
        return authenticate(rawHeaders);
      },
    }),
  });
  const strange = { authorization: 'Bearer x' };
  assert.equal((await create(service, strange)).status, 401);
  assert.equal((await create(service, strange)).status, 401);
  const refused = await create(service);
  assert.equal(refused.status, 429);
  assert.match(await refused.text(), /\\"address\\"/);
  assert.equal(looked, 2);
  assert.equal(state(refused)['address'], 'r=0;t=60');
  assert.deepEqual(service.entra.journal.exchanges, []);
});

test('a write is one decision of the Graph tier, though its share is looked at too', async (t) => {
  const service = await startService(t, { environment: { ...OFF, RATE_LIMIT_GRAPH: '50/20' } });
  assert.equal((await create(service)).status, 204);
  assert.match(await service.metrics.text(), /limiter_decisions_total\{tier="graph",result="passed"\} 1$/m);
});

test('what was given back is told to the second, though part of it has lapsed', async (t) => {
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const limiter = createMemoryLimiter({
    limits: { ...NO_LIMITS, address: { count: 30, seconds: 60, shadow: false }, user: USER_LIMIT },
    now,
  });
  const service = await startService(t, {
    replace: ({ authenticate }) => ({
      now,
      limiter,
      authenticate: async (rawHeaders) => {
        clock.now += 900;
        return authenticate(rawHeaders);
      },
    }),
  });
  assert.equal(state(await create(service))['address'], 'r=29;t=2', '1.1 s of it are left');
  const refused = await create(service);
  assert.equal(refused.status, 429);
  assert.equal(state(refused)['address'], 'r=29;t=1', '0.2 s of the first request are left');
});

test('the limits are told as they stand when the answer is written', async (t) => {
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const limits = { ...NO_LIMITS, user: { count: 30, seconds: 60, shadow: false } };
  const service = await startService(t, {
    replace: ({ enrollment }) => ({
      now,
      limiter: createMemoryLimiter({ limits, now }),
      enrollment: {
        ...enrollment,
        create: async (...request) => {
          clock.now += 1500;
          return enrollment.create(...request);
        },
      },
    }),
  });
  await create(service);
  assert.equal(state(await create(service))['user'], 'r=29;t=1', 'not the 2.5 s of the decision');
});

test('several exhausted tiers are all named', async (t) => {
  const service = await startTimeless(t, {
    environment: { ...OFF, RATE_LIMIT_USER: '1/60', RATE_LIMIT_PROFILE: '1/30' },
  });
  await create(service);
  const refused = await fetch(service.url + service.createPath(), {
    method: 'POST',
    headers: {
      ...(await service.bearer()),
      'content-type': 'application/json',
      accept: 'application/problem+json',
    },
    body: '{"tokenValidityInSeconds":60}',
  });
  const body = Object(await refused.json());
  assert.equal(body.type, 'https://iana.org/assignments/http-problem-types#quota-exceeded');
  assert.deepEqual(body['violated-policies'], ['user', 'profile']);
});

test('a shadow limit refuses nothing and is not told', async (t) => {
  const service = await startService(t, { environment: { ...OFF, RATE_LIMIT_USER: '1/60;shadow' } });
  for (let count = 0; count < 3; count += 1) {
    const done = await create(service);
    assert.equal(done.status, 204);
    assert.equal(done.headers.get('ratelimit'), null);
  }
});
