import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OTHER_TENANT_ID } from '../../sandbox/directory.ts';
import { ProblemError, type ProblemCode } from '../../src/errors.ts';
import type { Exchange, GraphToken } from '../../src/exchange/graph-token.ts';
import { withTokenCache } from '../../src/exchange/token-cache.ts';
import { Secret } from '../../src/secret.ts';
import { MINUTE, NOW, toCaller } from './support/caller.ts';

/** A cache over an exchange that numbers its tokens, under a clock that stands still until moved. */
function start({ lifetime = 75 * MINUTE, maxEntries = 100, scope = 'https://graph/.default' } = {}) {
  let now = NOW;
  const lookups: string[] = [];
  const asked: { claims: string | undefined; settle: (outcome?: ProblemCode) => void }[] = [];
  const inner: Exchange = (_caller, { claims, deadline } = {}) => {
    assert.equal(deadline, undefined, 'one deadline must not end what others wait for');
    return new Promise((resolve, reject) => {
      const value = new Secret(`token ${asked.length + 1}`);
      const token = { value, expiresAt: now + lifetime, ...(claims !== undefined && { claims }) };
      asked.push({
        claims,
        settle: (code) => (code === undefined ? resolve(token) : reject(new ProblemError(code))),
      });
    });
  };
  const cache = withTokenCache(inner, {
    scope,
    now: () => now,
    maxEntries,
    onLookup: (result) => lookups.push(result),
  });
  return {
    ...cache,
    asked,
    lookups,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    /** Exchanges, answering at once if it is asked for. */
    get: async (caller = toCaller(), claims?: string, code?: ProblemCode): Promise<GraphToken> => {
      const before = asked.length;
      const token = cache.exchange(caller, claims === undefined ? {} : { claims });
      if (asked.length > before) asked.at(-1)?.settle(code);
      return token;
    },
  };
}

test('a hit gives the same token, and is counted', async () => {
  const cache = start();
  assert.equal(await cache.get(), await cache.get());
  assert.equal(cache.asked.length, 1);
  assert.deepEqual(cache.lookups, ['miss', 'hit']);
});

test('security: everything that changes the answer is part of the key', async () => {
  const cache = start();
  const long = 'x'.repeat(2000);
  const callers = [
    toCaller({ assertion: `${long}.a` }),
    toCaller({ assertion: `${long}.b` }),
    toCaller({ assertion: `y${long}.a` }),
    toCaller({ assertion: `${long}.a`, tenantId: OTHER_TENANT_ID }),
  ];
  const tokens = new Set<GraphToken>();
  for (const caller of callers) tokens.add(await cache.get(caller));
  tokens.add(await cache.get(callers[0], '{"access_token":{"nbf":{"value":"1"}}}'));
  tokens.add(await cache.get(callers[0], '{"access_token":{"nbf":{"value":"2"}}}'));
  assert.equal(tokens.size, callers.length + 2);
});

test('security: two tokens of one user never share an entry, whatever the rest of the caller says', async () => {
  const cache = start();
  const one = await cache.get(toCaller({ assertion: 'one' }));
  assert.notEqual(one, await cache.get(toCaller({ assertion: 'two' })));
  // And the same assertion is the same entry: nothing else of the caller can split or join.
  assert.equal(one, await cache.get(toCaller({ assertion: 'one', userPrincipalName: 'x', tokenId: 'y' })));
});

for (const [name, graphLife, assertionLife, expected] of [
  ['the Graph token ends first: 5 minutes before it', 60 * MINUTE, 90 * MINUTE, 55 * MINUTE],
  ['the assertion ends first: 5 minutes before it', 28 * 60 * MINUTE, 60 * MINUTE, 55 * MINUTE],
  ['a short life: a tenth of it before', 10 * MINUTE, 60 * MINUTE, 9 * MINUTE],
] as const) {
  test(`the end of an entry, ${name}`, async () => {
    const cache = start({ lifetime: graphLife });
    const caller = toCaller({ expiresAt: NOW + assertionLife });
    await cache.get(caller);
    cache.pass(expected - 1);
    await cache.get(caller);
    assert.equal(cache.asked.length, 1);
    cache.pass(2);
    await cache.get(caller);
    assert.equal(cache.asked.length, 2);
  });
}

test('an assertion that has ended is not kept for', async () => {
  const cache = start();
  await cache.get(toCaller({ expiresAt: NOW }));
  await cache.get(toCaller({ expiresAt: NOW }));
  assert.equal(cache.asked.length, 2);
});

test('identical exchanges under way are joined; different ones are not', async () => {
  const cache = start();
  const same = Array.from({ length: 50 }, () => cache.exchange(toCaller()));
  const other = cache.exchange(toCaller({ assertion: 'other' }));
  assert.equal(cache.asked.length, 2);
  for (const { settle } of cache.asked) settle();
  const tokens = new Set(await Promise.all(same));
  assert.equal(tokens.size, 1);
  assert.ok(!tokens.has(await other));
});

test('a joined exchange that fails fails for all, and the next one asks anew', async () => {
  const cache = start();
  const joined = [cache.exchange(toCaller()), cache.exchange(toCaller())];
  cache.asked[0]?.settle('entra_unavailable');
  for (const one of joined) await assert.rejects(one, { code: 'entra_unavailable' });
  await cache.get();
  assert.equal(cache.asked.length, 2);
});

test('each waits for a joined exchange until its own deadline', async () => {
  const cache = start();
  const short = new AbortController();
  const patient = new AbortController();
  const first = cache.exchange(toCaller(), { deadline: { signal: short.signal } });
  const second = cache.exchange(toCaller(), { deadline: { signal: patient.signal } });
  short.abort();
  await assert.rejects(first, { code: 'upstream_timeout' });
  cache.asked[0]?.settle();
  assert.equal((await second).value.reveal(), 'token 1');
  assert.equal(await cache.get(), await second, 'what the first one gave up was kept');
  await assert.rejects(
    cache.exchange(toCaller({ assertion: 'new' }), { deadline: { signal: AbortSignal.abort() } }),
    {
      code: 'upstream_timeout',
    },
  );
});

for (const code of ['consent_required', 'policy_denied'] as const) {
  test(`${code} is remembered for 30 seconds`, async () => {
    const cache = start();
    await assert.rejects(cache.get(toCaller(), undefined, code), { code });
    cache.pass(29_999);
    await assert.rejects(cache.get(), { code });
    assert.equal(cache.asked.length, 1);
    cache.pass(2);
    await cache.get();
    assert.equal(cache.asked.length, 2);
  });
}

for (const code of [
  'claims_challenge',
  'invalid_token',
  'credential_rejected',
  'entra_unavailable',
  'upstream_timeout',
] as const) {
  test(`${code} is not remembered`, async () => {
    const cache = start();
    await assert.rejects(cache.get(toCaller(), undefined, code), { code });
    await cache.get();
    assert.equal(cache.asked.length, 2);
  });
}

test('bounded: the least recently used goes', async () => {
  const cache = start({ maxEntries: 3 });
  for (const assertion of ['a', 'b', 'c', 'a', 'd']) await cache.get(toCaller({ assertion }));
  assert.equal(cache.asked.length, 4);
  await cache.get(toCaller({ assertion: 'a' }));
  assert.equal(cache.asked.length, 4);
  await cache.get(toCaller({ assertion: 'b' }));
  assert.equal(cache.asked.length, 5);
});

test("a token that Graph refuses takes all of its user's along, and nobody else's", async () => {
  const cache = start();
  const mine = toCaller({ assertion: 'mine' });
  const other = toCaller({ objectId: 'other user', assertion: 'other' });
  const elsewhere = toCaller({ tenantId: OTHER_TENANT_ID, assertion: 'elsewhere' });
  const token = await cache.get(mine);
  for (const caller of [toCaller({ assertion: 'second' }), other, elsewhere]) await cache.get(caller);
  cache.drop(mine, token);
  for (const caller of [other, elsewhere]) await cache.get(caller);
  assert.equal(cache.asked.length, 4);
  await cache.get(mine);
  await cache.get(toCaller({ assertion: 'second' }));
  assert.equal(cache.asked.length, 6);
});

test('a refused token takes its user along even when its own entry has ended meanwhile', async () => {
  const cache = start();
  const shortlived = toCaller({ assertion: 'shortlived', expiresAt: NOW + 10 * MINUTE });
  const token = await cache.get(shortlived);
  await cache.get(toCaller({ assertion: 'second' }));
  cache.pass(9 * MINUTE + 1);
  cache.drop(shortlived, token);
  await cache.get(toCaller({ assertion: 'second' }));
  assert.equal(cache.asked.length, 3);
});

test('a token refused late does not take its successor along', async () => {
  const cache = start();
  const old = await cache.get();
  cache.drop(toCaller(), old);
  const successor = await cache.get();
  cache.drop(toCaller(), old);
  assert.equal(await cache.get(), successor);
});

test('a token that satisfied a challenge serves the next requests, too', async () => {
  const cache = start();
  const claims = '{"access_token":{"nbf":{"value":"1"}}}';
  const token = await cache.get(toCaller(), claims);
  assert.equal(await cache.get(toCaller(), claims), token);
  assert.equal(await cache.get(), token);
  assert.equal(cache.asked.length, 1);
  cache.drop(toCaller(), token);
  await cache.get(toCaller(), claims);
  assert.equal(cache.asked.length, 2);
});
