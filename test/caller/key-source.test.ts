import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createKeySource, type KeySource } from '../../src/caller/key-source.ts';
import { ProblemError } from '../../src/errors.ts';
import { OutboundError, type OutboundResponse } from '../../src/outbound.ts';
import {
  AUTHORITY,
  TENANT,
  V1_ISSUER,
  V2_ISSUER,
  createFakeEntra,
  createPair,
  silentLog,
  toAnswer,
  toJwk,
  type FakeEntra,
} from './support/tenant.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const [FIRST, SECOND_KEY, WEAK] = [createPair('first'), createPair('second'), createPair('weak', 1024)];

type Bench = Readonly<{
  entra: FakeEntra;
  source: KeySource;
  /** Metadata fetches so far: one a load. */
  loads: () => number;
  advance: (ms: number) => void;
  results: readonly string[];
  warnings: readonly string[];
}>;

function createBench(authorityHost = AUTHORITY, issuer = V2_ISSUER): Bench {
  let now = Date.UTC(2026, 0, 1);
  const entra = createFakeEntra([FIRST], issuer);
  const results: string[] = [];
  const warnings: string[] = [];
  const source = createKeySource({
    authorityHost,
    tenantId: TENANT.toUpperCase(),
    outbound: entra.outbound,
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    now: () => now,
    onLoad: (result) => results.push(result),
  });
  return {
    entra,
    source,
    loads: () => entra.calls.filter((url) => url.endsWith('openid-configuration')).length,
    advance: (ms) => {
      now += ms;
    },
    results,
    warnings,
  };
}

async function warmBench(): Promise<Bench> {
  const bench = createBench();
  await bench.source.keySetFor('first');
  return bench;
}

async function outcomeOf(source: KeySource, kid: string): Promise<'found' | 'unknown' | ProblemError> {
  try {
    return (await source.keySetFor(kid)).keys.has(kid) ? 'found' : 'unknown';
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    return error;
  }
}

async function assertUnavailable(source: KeySource, kid: string): Promise<number> {
  const outcome = await outcomeOf(source, kid);
  assert.ok(outcome instanceof ProblemError, String(outcome));
  assert.equal(outcome.code, 'entra_unavailable');
  const wait = outcome.options.retryAfterSeconds ?? 0;
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 30, String(wait));
  return wait;
}

/** Lets everything that is ready run, without waiting for a clock. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('asks for the metadata of the tenant, then for the keys it names', async () => {
  const { entra } = await warmBench();
  assert.deepEqual(entra.calls, [
    `${AUTHORITY}/${TENANT}/v2.0/.well-known/openid-configuration`,
    `${AUTHORITY}/${TENANT}/keys`,
  ]);
});

const metadata = (changes: Readonly<Record<string, unknown>>) =>
  toAnswer({ issuer: V2_ISSUER, jwks_uri: `${AUTHORITY}/keys`, ...changes });
const key = (changes: Readonly<Record<string, unknown>>) =>
  toAnswer({ keys: [{ ...toJwk(FIRST), ...changes }] });
const html = '<!doctype html><title>Sorry</title>';
const answers = {
  garbage: toAnswer('\0\u0001{{{'),
  'an empty body': toAnswer(''),
  HTML: toAnswer(html),
  'HTML with status 503': toAnswer(html, 503),
  'a redirect': { ...toAnswer('', 302), headers: { location: 'https://elsewhere.test/' } },
  'status 429': toAnswer('{}', 429),
  'status 500': toAnswer('{}', 500),
  'status 204': toAnswer('', 204),
  null: toAnswer('null'),
  'a list': toAnswer('[]'),
  'a string': toAnswer('"x"'),
  'JSON cut short': toAnswer('{"issuer":"https://entra.te'),
  'no connection': new OutboundError('not_sent', 'unreachable'),
  'a stall': new OutboundError('lost', 'timeout'),
  'a cut connection': new OutboundError('lost', 'reset'),
  'a body without end': new OutboundError('lost', 'too_large'),
  'an error nobody foresaw': new TypeError('boom'),
};
const badMetadata = {
  ...answers,
  'a good body with status 500': { ...metadata({}), status: 500 },
  'a good body with a redirect': { ...metadata({}), status: 302 },
  'no issuer': metadata({ issuer: undefined }),
  'the issuer of another tenant': metadata({
    issuer: V2_ISSUER.replace(TENANT, '99999999-9999-4999-8999-999999999999'),
  }),
  'an http issuer': metadata({ issuer: V2_ISSUER.replace('https', 'http') }),
  'the issuer template': metadata({ issuer: `${AUTHORITY}/{tenantid}/v2.0` }),
  'an issuer with a query': metadata({ issuer: `${V2_ISSUER}?a` }),
  'an issuer with user information': metadata({ issuer: V2_ISSUER.replace('://', '://a@') }),
  'no address of keys': metadata({ jwks_uri: undefined }),
  'an http address of keys': metadata({ jwks_uri: 'http://entra.test/keys' }),
  'a file as address of keys': metadata({ jwks_uri: 'file:///etc/passwd' }),
  'a list as address of keys': metadata({ jwks_uri: ['https://entra.test/keys'] }),
};
const badKeys = {
  ...answers,
  'a good body with status 500': { ...key({}), status: 500 },
  'an empty set': toAnswer({ keys: [] }),
  'no set': toAnswer({}),
  'a set that is no list': toAnswer({ keys: { 0: toJwk(FIRST) } }),
  'a thousand keys': toAnswer({ keys: Array.from({ length: 1_000 }, () => toJwk(FIRST)) }),
  'only keys of 1024 bit': toAnswer({ keys: [toJwk(WEAK)] }),
  'only keys for encryption': key({ use: 'enc' }),
  'only keys for RS512': key({ alg: 'RS512' }),
  'only keys without a kid': key({ kid: undefined }),
  'only keys of another cloud': key({ cloud_instance_name: 'elsewhere' }),
  'only keys of another issuer': key({ issuer: `${AUTHORITY}/99999999-9999-4999-8999-999999999999/v2.0` }),
  'only keys without a modulus': key({ n: undefined }),
  'only keys with a modulus of garbage': key({ n: '!!' }),
  'only keys of exponent 1': key({ e: 'AQ' }),
  'only keys with their private part': toAnswer({
    keys: [{ ...toJwk(FIRST), ...FIRST.privateKey.export({ format: 'jwk' }) }],
  }),
  'only symmetric keys': toAnswer({ keys: [{ kty: 'oct', kid: 'first', k: 'AAAA' }] }),
  'only keys with thousands of operations of a wrong type': key({
    key_ops: ['verify', ...Array.from({ length: 5_000 }, () => 1)],
  }),
  'only nulls': toAnswer({ keys: [null, 1, 'x', []] }),
};
type Faults = Readonly<Record<string, OutboundResponse | Error>>;

for (const [document, faults] of [
  ['metadata', badMetadata],
  ['jwks', badKeys],
] as const satisfies readonly [string, Faults][]) {
  describe(`Entra answers for the ${document} with`, () => {
    for (const [name, fault] of Object.entries(faults)) {
      const breakEntra = (entra: FakeEntra) => {
        if (document === 'metadata') entra.metadata = () => fault;
        else {
          entra.metadata = () => metadata({ cloud_instance_name: 'entra.test' });
          entra.jwks = () => fault;
        }
      };

      test(`${name}, cold: 503, and recovery within seconds`, async () => {
        const bench = createBench();
        const { metadata, jwks } = bench.entra;
        breakEntra(bench.entra);
        assert.equal(bench.source.ready(), false);
        await settle();
        const wait = await assertUnavailable(bench.source, 'first');
        assert.ok(wait <= 5);
        assert.ok(bench.loads() <= 2);

        Object.assign(bench.entra, { metadata, jwks });
        bench.advance(wait * SECOND);
        assert.equal(await outcomeOf(bench.source, 'first'), 'found');
        assert.equal(bench.source.ready(), true);
      });

      test(`${name}, warm: served as before for 24 hours, then 503`, async () => {
        const bench = await warmBench();
        breakEntra(bench.entra);
        for (let hour = 1; hour < 24; hour += 1) {
          bench.advance(HOUR);
          assert.equal(await outcomeOf(bench.source, 'first'), 'found');
          await settle();
        }
        assert.equal(bench.source.ready(), true);
        assert.equal(bench.results.at(-1), 'failed');
        bench.advance(HOUR);
        await assertUnavailable(bench.source, 'first');
        assert.equal(bench.source.ready(), false);
        assert.equal(bench.source.currentKeySet(), undefined);
      });
    }
  });
}

test('a stalled load holds up nobody who can be served', async () => {
  const bench = await warmBench();
  bench.entra.metadata = () => new Promise(() => {});
  bench.advance(2 * HOUR);
  for (let i = 0; i < 100; i += 1) assert.equal(await outcomeOf(bench.source, 'first'), 'found');
  assert.equal(bench.loads(), 2);
});

test('concurrent requests at a cold start share one load', async () => {
  const { source, loads } = createBench();
  source.start();
  assert.deepEqual(
    new Set(await Promise.all(Array.from({ length: 200 }, () => outcomeOf(source, 'first')))),
    new Set(['found']),
  );
  assert.equal(loads(), 1);
});

test('a dead Entra is asked seldom, however many requests come', async () => {
  const bench = createBench();
  bench.entra.metadata = () => new OutboundError('not_sent', 'unreachable');
  for (let second = 0; second < 60; second += 1) {
    await Promise.all(Array.from({ length: 20 }, () => assertUnavailable(bench.source, 'first')));
    bench.advance(SECOND);
  }
  assert.ok(bench.loads() >= 12 && bench.loads() <= 16, String(bench.loads()));
  assert.equal(bench.warnings.length, bench.loads());
});

test('an instance that gets no requests becomes ready by being probed', async () => {
  const bench = createBench();
  const { metadata } = bench.entra;
  bench.entra.metadata = () => new OutboundError('not_sent', 'unreachable');
  assert.equal(bench.source.ready(), false);
  await settle();
  bench.entra.metadata = metadata;
  assert.equal(bench.source.ready(), false, 'still backing off');
  await settle();
  assert.equal(bench.loads(), 1);
  bench.advance(SECOND);
  bench.source.ready();
  await settle();
  assert.equal(bench.source.ready(), true);
});

test('refreshes after an hour, in the background, once', async () => {
  const bench = await warmBench();
  bench.advance(HOUR - 1);
  await outcomeOf(bench.source, 'first');
  await settle();
  assert.equal(bench.loads(), 1);
  bench.advance(1);
  await Promise.all(Array.from({ length: 50 }, () => outcomeOf(bench.source, 'first')));
  await settle();
  assert.equal(bench.loads(), 2);
});

test('the key set stays the same object until its content changes, in whatever order it comes', async () => {
  const bench = await warmBench();
  bench.entra.jwks = () => toAnswer({ keys: [SECOND_KEY, FIRST].map(toJwk) });
  await outcomeOf(bench.source, 'second');
  const before = bench.source.currentKeySet();
  bench.entra.jwks = () => toAnswer({ keys: [FIRST, SECOND_KEY].map(toJwk) });
  bench.advance(HOUR);
  bench.source.start();
  await settle();
  assert.equal(bench.source.currentKeySet(), before);
  bench.entra.jwks = () => toAnswer({ keys: [SECOND_KEY].map(toJwk) });
  bench.advance(HOUR);
  bench.source.start();
  await settle();
  assert.notEqual(bench.source.currentKeySet(), before);
  assert.deepEqual(bench.results, ['changed', 'changed', 'unchanged', 'changed']);
});

test('a new key of the same name is a change', async () => {
  const bench = await warmBench();
  const before = bench.source.currentKeySet();
  bench.entra.jwks = () => toAnswer({ keys: [{ ...toJwk(SECOND_KEY), kid: 'first' }] });
  bench.advance(HOUR);
  bench.source.start();
  await settle();
  assert.notEqual(bench.source.currentKeySet()?.fingerprint, before?.fingerprint);
});

test('of keys of one name the first of an issuer of the tenant counts', async () => {
  const other = { ...toJwk(SECOND_KEY), kid: 'first', issuer: `${AUTHORITY}/another/v2.0` };
  const attacker = { ...toJwk(SECOND_KEY), kid: 'first' };
  for (const issuer of [undefined, V2_ISSUER, `${AUTHORITY}/{tenantid}/v2.0`, V1_ISSUER]) {
    const { entra, source } = createBench();
    entra.jwks = () => toAnswer({ keys: [other, { ...toJwk(FIRST), issuer }, attacker, other] });
    const signingKey = (await source.keySetFor('first')).keys.get('first');
    assert.ok(signingKey?.key.equals(FIRST.publicKey), issuer);
  }
});

describe('keys that nobody asked Entra about for long', () => {
  test('security: are asked about before they judge a token: one withdrawn meanwhile passes nobody', async () => {
    const bench = await warmBench();
    bench.entra.jwks = () => toAnswer({ keys: [toJwk(SECOND_KEY)] });
    bench.advance(23 * HOUR);
    const outcomes = await Promise.all(
      ['first', 'second', 'first'].map((kid) => outcomeOf(bench.source, kid)),
    );
    assert.deepEqual(outcomes, ['unknown', 'found', 'unknown']);
    assert.ok(bench.loads() <= 3, String(bench.loads()));
  });

  test('serve on when Entra answers nothing good, and nobody waits for it a second time', async () => {
    const bench = await warmBench();
    let fail = (): void => {};
    bench.entra.metadata = () =>
      new Promise((_resolve, reject) => {
        fail = () => {
          reject(new OutboundError('lost', 'timeout'));
        };
      });
    bench.advance(3 * HOUR);
    const waiting = outcomeOf(bench.source, 'first');
    await settle();
    fail();
    assert.equal(await waiting, 'found');
    for (let turn = 0; turn < 5; turn += 1) {
      bench.advance(30 * SECOND);
      assert.equal(await outcomeOf(bench.source, 'first'), 'found', 'a stall under way');
      assert.equal(bench.loads(), 3 + turn);
      fail();
      await settle();
    }
  });

  test('are waited for again after as long a silence', async () => {
    const bench = await warmBench();
    const { metadata } = bench.entra;
    bench.entra.metadata = () => new OutboundError('lost', 'timeout');
    bench.advance(3 * HOUR);
    assert.equal(await outcomeOf(bench.source, 'first'), 'found');
    bench.entra.metadata = metadata;
    bench.entra.jwks = () => toAnswer({ keys: [toJwk(SECOND_KEY)] });
    bench.advance(3 * HOUR);
    assert.equal(await outcomeOf(bench.source, 'first'), 'unknown');
  });
});

describe('a signature that does not hold under a known key', () => {
  const other = { ...toJwk(SECOND_KEY), kid: 'first' };

  test('finds the key that took the name, at once', async () => {
    const { entra, source, loads } = await warmBench();
    const before = await source.keySetFor('first');
    entra.jwks = () => toAnswer({ keys: [other] });
    const sets = await Promise.all(Array.from({ length: 50 }, () => source.keySetAfter(before)));
    for (const { keys } of sets) assert.ok(keys.get('first')?.key.equals(SECOND_KEY.publicKey));
    assert.equal(loads(), 2);
    assert.equal(await source.keySetAfter(before), source.currentKeySet());
    assert.equal(loads(), 2, 'newer keys were there');
  });

  test('security: a flood of them causes one load in 30 seconds, together with unknown kids', async () => {
    const bench = await warmBench();
    const before = await bench.source.keySetFor('first');
    for (let second = 0; second < 90; second += 1) {
      const sets = await Promise.all(Array.from({ length: 50 }, () => bench.source.keySetAfter(before)));
      assert.deepEqual(new Set(sets), new Set([before]));
      assert.equal(await outcomeOf(bench.source, `made-up-${second}`), 'unknown');
      bench.advance(SECOND);
    }
    assert.equal(bench.loads(), 1 + 3);
  });

  test('is settled by a load that its own request began', async () => {
    const { source, loads } = createBench();
    const arrival = source.mark();
    const keySet = await source.keySetFor('first', arrival);
    assert.equal(await source.keySetAfter(keySet, arrival), keySet);
    assert.equal(loads(), 1);
  });

  test('while Entra cannot be asked, the keys that are known judge', async () => {
    const bench = await warmBench();
    const before = await bench.source.keySetFor('first');
    bench.entra.metadata = () => new OutboundError('lost', 'timeout');
    assert.equal(await bench.source.keySetAfter(before), before);
    assert.equal(await bench.source.keySetAfter(before), before);
    assert.equal(bench.loads(), 2);
  });
});

test('security: a flood of unknown kids causes one load in 30 seconds', async () => {
  const bench = await warmBench();
  for (let second = 0; second < 90; second += 1) {
    const kids = Array.from({ length: 50 }, (_, i) => `made-up-${second}-${i}`);
    const outcomes = await Promise.all(kids.map((kid) => outcomeOf(bench.source, kid)));
    assert.deepEqual(new Set(outcomes), new Set(['unknown']));
    bench.advance(SECOND);
  }
  assert.equal(bench.loads(), 1 + 3);
});

test('security: a flood of unknown kids at a cold start causes two loads', async () => {
  const { source, loads } = createBench();
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_, i) => outcomeOf(source, `made-up-${i}`)),
  );
  assert.deepEqual(new Set(outcomes), new Set(['unknown']));
  assert.ok(loads() <= 2, String(loads()));
});

test('a load that a request itself began settles whether its kid exists', async () => {
  const { source, loads } = createBench();
  assert.equal(await outcomeOf(source, 'made-up'), 'unknown');
  assert.equal(loads(), 1);
});

test('rotation: requests with the new key pass at once, those with the old one all the time', async () => {
  const bench = await warmBench();
  bench.entra.jwks = () => toAnswer({ keys: [FIRST, SECOND_KEY].map(toJwk) });
  const kids = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 'first' : 'second'));
  const outcomes = await Promise.all(kids.map((kid) => outcomeOf(bench.source, kid)));
  assert.deepEqual(new Set(outcomes), new Set(['found']));
  assert.equal(bench.loads(), 2);
});

test('emergency swap: the new key passes at once, the old one never again', async () => {
  const bench = await warmBench();
  bench.entra.jwks = () => toAnswer({ keys: [toJwk(SECOND_KEY)] });
  assert.equal(await outcomeOf(bench.source, 'second'), 'found');
  assert.equal(await outcomeOf(bench.source, 'first'), 'unknown');
});

test('emergency swap just after an unknown kid: the new key passes 30 seconds after that', async () => {
  const bench = await warmBench();
  assert.equal(await outcomeOf(bench.source, 'made-up'), 'unknown');
  bench.entra.jwks = () => toAnswer({ keys: [toJwk(SECOND_KEY)] });
  bench.advance(29 * SECOND);
  assert.equal(await outcomeOf(bench.source, 'second'), 'unknown');
  bench.advance(SECOND);
  assert.equal(await outcomeOf(bench.source, 'second'), 'found');
});

test('a key published while a load is under way is found all the same', async () => {
  const bench = await warmBench();
  const { jwks } = bench.entra;
  const waiting: ((answer: OutboundResponse) => void)[] = [];
  bench.entra.jwks = () => new Promise((resolve) => waiting.push(resolve));
  bench.advance(HOUR);
  bench.source.start();
  await settle();
  const outcome = outcomeOf(bench.source, 'second');
  await settle();
  bench.entra.jwks = () => toAnswer({ keys: [FIRST, SECOND_KEY].map(toJwk) });
  const old = jwks();
  assert.ok(!(old instanceof Error) && !(old instanceof Promise));
  waiting[0]?.(old);
  assert.equal(await outcome, 'found');
});

test('an unknown kid while Entra cannot be asked is 503, not 401', async () => {
  const bench = await warmBench();
  bench.entra.metadata = () => new OutboundError('lost', 'timeout');
  await assertUnavailable(bench.source, 'second');
  await assertUnavailable(bench.source, 'second');
  assert.equal(bench.loads(), 2);
  assert.equal(await outcomeOf(bench.source, 'first'), 'found');
});

test('a clock set back does not keep old keys for ever', async () => {
  const bench = await warmBench();
  bench.entra.jwks = () => toAnswer({ keys: [toJwk(SECOND_KEY)] });
  bench.advance(-365 * 24 * HOUR);
  assert.equal(await outcomeOf(bench.source, 'second'), 'found');
  assert.equal(await outcomeOf(bench.source, 'first'), 'unknown');
});

describe('the origin of the issuer', () => {
  const clouds = [
    'https://login.microsoftonline.com',
    'https://login.microsoftonline.us',
    'https://login.partner.microsoftonline.cn',
  ];
  for (const cloud of clouds) {
    test(`is that of ${cloud}`, async () => {
      const bench = createBench(cloud, `${cloud}/${TENANT}/v2.0`);
      assert.equal(await outcomeOf(bench.source, 'first'), 'found');
    });
    test(`of ${cloud} may not be another`, async () => {
      await assertUnavailable(createBench(cloud, V2_ISSUER).source, 'first');
    });
  }

  test('may be any in a custom cloud', async () => {
    const bench = createBench('https://127.0.0.1:8443', V2_ISSUER);
    assert.equal(await outcomeOf(bench.source, 'first'), 'found');
  });
});

test('no warning holds an address', async () => {
  const seen: unknown[] = [];
  const entra = createFakeEntra([FIRST]);
  const source = createKeySource({
    authorityHost: AUTHORITY,
    tenantId: TENANT,
    outbound: entra.outbound,
    log: { ...silentLog, warn: (...line) => seen.push(...line.map((part) => inspect(part))) },
  });
  entra.metadata = () => metadata({ issuer: 'https://elsewhere.test/x' });
  await outcomeOf(source, 'first');
  assert.ok(seen.length > 0);
  assert.doesNotMatch(seen.join(' '), /entra\.test|elsewhere/);
});

test('one call to Entra takes no longer than is set, and never longer than 5 seconds', async () => {
  for (const [timeoutMs, taken] of [
    [undefined, 5_000],
    [10_000, 5_000],
    [700, 700],
  ] as const) {
    const entra = createFakeEntra([FIRST]);
    const timeouts: unknown[] = [];
    const source = createKeySource({
      authorityHost: AUTHORITY,
      tenantId: TENANT,
      ...(timeoutMs !== undefined && { timeoutMs }),
      outbound: async (request) => {
        timeouts.push(request.timeoutMs);
        return entra.outbound(request);
      },
      log: silentLog,
    });
    await source.keySetFor('first');
    assert.deepEqual(timeouts, [taken, taken]);
  }
});
