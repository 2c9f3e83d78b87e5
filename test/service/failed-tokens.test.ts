import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { codeOf, request } from '../http/raw-http.ts';
import { startService, type Service, type ServiceOptions } from '../support/service.ts';

const LIMIT = 4;
/** So slow a refill that none happens within a test. */
const RATE_LIMIT_ADDRESS = `${LIMIT}/3600`;

type Bench = Readonly<{
  service: Service;
  /** Requests whose token was looked at. */
  looks: () => number;
  /** The status of a request with a bad token and these header lines. */
  fail: (...headers: readonly string[]) => Promise<number>;
}>;

async function startBench(t: TestContext, options: ServiceOptions = {}): Promise<Bench> {
  let looks = 0;
  const start = Date.now();
  const service = await startService(t, {
    // Stands still: all refusals are of one minute.
    now: () => start,
    environment: { RATE_LIMIT_ADDRESS, ...options.environment },
    replace: ({ authenticate }) => ({
      authenticate: (rawHeaders) => {
        looks += 1;
        return authenticate(rawHeaders);
      },
    }),
  });
  const { entra, bearer } = service;
  const stranger = { ...entra.keys.current(), kid: 'nobody-published-this' };
  const { authorization } = await bearer({ key: stranger });
  return {
    service,
    looks: () => looks,
    fail: async (...headers) => {
      const { status } = await request(service.url, `POST ${service.createPath()}`, [
        `Authorization: ${authorization}`,
        ...headers,
      ]);
      return status;
    },
  };
}

const repeat = async (times: number, ask: (turn: number) => Promise<number>): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let turn = 0; turn < times; turn += 1) statuses.push(await ask(turn));
  return statuses;
};
const all = (status: number, times = LIMIT): readonly number[] => Array.from({ length: times }, () => status);

test('security: after too many failed tokens no further one is looked at, not even a good one', async (t) => {
  const { service, looks, fail } = await startBench(t);
  const { counts } = service.entra.journal;
  assert.deepEqual(await repeat(LIMIT, () => fail()), all(401));
  assert.equal(looks(), LIMIT);
  const before = { ...counts };

  assert.deepEqual(await repeat(20, () => fail()), all(429, 20));
  const { authorization } = await service.bearer();
  const line = `POST ${service.createPath()}`;
  const refused = await request(service.url, line, [`Authorization: ${authorization}`]);
  assert.equal(codeOf(refused), 'rate_limited');
  // A quarter of an hour until one request more is due: rounded up, so never earlier than it really is.
  const retryAfter = Number(refused.headers['retry-after']);
  assert.ok(retryAfter > 3600 / LIMIT - 60 && retryAfter <= 3600 / LIMIT, String(retryAfter));
  assert.match(refused.headers['ratelimit'] ?? '', /^"address";r=0;t=\d+$/);
  assert.equal(refused.headers['www-authenticate'], undefined);

  assert.equal(looks(), LIMIT, 'a token was looked at');
  assert.deepEqual(counts, before, 'Entra was asked');
  assert.equal((await request(service.url, 'GET /healthz')).status, 200, 'a probe is not limited');

  // A flood leaves two lines in the journal; two more, with the counts, when the minute ends.
  const records = await service.audited('refusal');
  assert.deepEqual(
    records.map(({ code, source, status, count }) => [code, source, status, count]),
    [
      ['invalid_token', { address: '127.0.0.1' }, 401, undefined],
      ['rate_limited', { address: '127.0.0.1' }, 429, undefined],
    ],
  );
});

test('security: without trusted proxies no header makes a second address', async (t) => {
  const { looks, fail } = await startBench(t);
  const names = [
    'X-Forwarded-For',
    'x-forwarded-for',
    'X-FORWARDED-FOR',
    'Forwarded',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'X-Originating-IP',
    'X-Remote-Addr',
    'X-Azure-ClientIP',
    'X-Azure-SocketIP',
    'X-Original-Forwarded-For',
    'CF-Connecting-IP',
    'True-Client-IP',
    'Fastly-Client-IP',
    'Client-IP',
    'Via',
  ];
  const statuses = await repeat(3 * names.length, (turn) => {
    const value = `203.0.113.${turn}`;
    const name = names[turn % names.length] ?? '';
    return fail(`${name}: ${name === 'Forwarded' ? `for=${value}` : value}`);
  });
  assert.deepEqual(statuses, [...all(401), ...all(429, 3 * names.length - LIMIT)]);
  assert.equal(looks(), LIMIT);
});

const BEHIND_PROXY = { environment: { TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' } };

test('security: behind a trusted proxy the right-most untrusted address counts, whatever was forged before it', async (t) => {
  const { looks, fail } = await startBench(t, BEHIND_PROXY);
  const real = '198.51.100.7';
  const forgeries: readonly (readonly string[])[] = [
    [`X-Forwarded-For: ${real}`],
    [`x-forwarded-for: 203.0.113.1, ${real}`],
    ['X-FORWARDED-FOR: 203.0.113.2', `X-Forwarded-For: ${real}`],
    [`X-Forwarded-For: 127.0.0.1, ${real}, 10.1.2.3`],
    [`X-Forwarded-For: 10.0.0.1,10.0.0.2,${real}:4711`],
    [`X-Forwarded-For: ::ffff:${real}`],
    [`X-Forwarded-For: [::ffff:c633:6407]:80`],
    [`X-Forwarded-For: ,, , unknown, ${real}`],
    [`X-Forwarded-For: ${'203.0.113.3, '.repeat(200)}${real}`],
    [`X-Forwarded-For: ${real}`, 'Forwarded: for=203.0.113.4', 'X-Real-IP: 203.0.113.5'],
    [`X-Forwarded-For:\t ${real} \t`],
  ];
  const statuses = await repeat(forgeries.length, (turn) => fail(...(forgeries[turn] ?? [])));
  assert.deepEqual(statuses, [...all(401), ...all(429, forgeries.length - LIMIT)]);
  assert.equal(looks(), LIMIT);

  assert.equal(await fail('X-Forwarded-For: 198.51.100.8'), 401, 'another caller behind the same proxy');
  assert.equal(
    await fail(`X-Forwarded-For: ${real}, 198.51.100.9`),
    401,
    'a real address that names another',
  );
});

test('security: what is no address behind a trusted proxy shares one quota', async (t) => {
  const { looks, fail } = await startBench(t, BEHIND_PROXY);
  const names = [
    'unknown',
    '_hidden',
    '0x7f.1',
    '010.0.0.1',
    '1.2.3',
    '256.1.1.1',
    '::1::',
    'a'.repeat(999),
    '',
    '*',
  ];
  const statuses = await repeat(names.length, (turn) => fail(`X-Forwarded-For: ${names[turn]}`));
  assert.deepEqual(statuses, [...all(401), ...all(429, names.length - LIMIT)]);
  assert.equal(looks(), LIMIT);
});

test('security: the 2^72 addresses of an IPv6 customer (/56) share one quota', async (t) => {
  const { looks, fail } = await startBench(t, BEHIND_PROXY);
  const addresses = [
    '2001:db8:0:aa00::1',
    '2001:db8:0:aaff:ffff:ffff:ffff:ffff',
    '2001:DB8:0:AA12::1',
    '[2001:db8:0:aa34::1]:443',
    '2001:0db8:0000:aa56:0000:0000:0000:0001',
    '2001:db8::aa78:0:0:192.0.2.1',
    '2001:db8:0:aa9a::1%eth0',
  ];
  const statuses = await repeat(addresses.length, (turn) => fail(`X-Forwarded-For: ${addresses[turn]}`));
  assert.deepEqual(statuses, [...all(401), ...all(429, addresses.length - LIMIT)]);
  assert.equal(looks(), LIMIT);
  assert.equal(await fail('X-Forwarded-For: 2001:db8:0:ab00::1'), 401, 'the next customer');
});

test('a refusal by another limit gives the address its request back; a failed token does not', async (t) => {
  const { service, fail } = await startBench(t, { environment: { RATE_LIMIT_USER: '1/3600' } });
  const { authorization } = await service.bearer();
  const body = '{"tokenValidityInSeconds":60}';
  const create = async () => {
    const lines = [`Authorization: ${authorization}`, 'Content-Type: application/json'];
    return request(
      service.url,
      `POST ${service.createPath()}`,
      [...lines, `Content-Length: ${body.length}`],
      body,
    );
  };
  assert.equal((await create()).status, 204);
  assert.deepEqual(await repeat(LIMIT, async () => (await create()).status), all(429));
  assert.deepEqual(await repeat(LIMIT, () => fail()), [...all(401, LIMIT - 1), 429]);
});
