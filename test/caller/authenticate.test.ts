import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createAuthenticate, type AuthenticateOptions } from '../../src/caller/authenticate.ts';
import { createKeySource } from '../../src/caller/key-source.ts';
import { ProblemError } from '../../src/errors.ts';
import { OutboundError } from '../../src/outbound.ts';
import { ATTACKER, KEY_1, KEY_2, forge } from './support/forge.ts';
import { HOSTILE_TOKENS } from './support/hostile-tokens.ts';
import {
  AUDIENCES,
  AUTHORITY,
  CLIENT,
  FRONT_END,
  TENANT,
  USER,
  createFakeEntra,
  createPair,
  sign,
  silentLog,
  toAnswer,
  toJwk,
  toRawHeaders,
  toV1Claims,
  toV2Claims,
} from './support/tenant.ts';

const OTHER_TENANT = '55555555-5555-4555-8555-555555555555';
const MINUTE = 60_000;

function createBench(options: Partial<AuthenticateOptions> = {}) {
  const clock = { now: Date.now() };
  const entra = createFakeEntra([KEY_1]);
  const cache: string[] = [];
  const keySource = createKeySource({
    authorityHost: AUTHORITY,
    tenantId: TENANT,
    outbound: entra.outbound,
    log: silentLog,
    now: () => clock.now,
  });
  const authenticate = createAuthenticate({
    clientId: CLIENT,
    audiences: AUDIENCES,
    authorityHost: AUTHORITY,
    keySources: [keySource],
    log: silentLog,
    now: () => clock.now,
    onCache: (result) => cache.push(result),
    ...options,
  });
  const refuse = async (...rawHeaders: readonly string[]): Promise<ProblemError> => {
    const error: unknown = await authenticate(rawHeaders).then(
      () => assert.fail('accepted'),
      (error: unknown) => error,
    );
    assert.ok(error instanceof ProblemError, inspect(error));
    return error;
  };
  return { authenticate, refuse, entra, keySource, clock, cache };
}

for (const [version, claims] of [
  ['v2.0', toV2Claims()],
  ['v1.0', toV1Claims()],
] as const) {
  test(`a ${version} token becomes its caller`, async () => {
    const token = await sign(KEY_1, claims);
    const caller = await createBench().authenticate(toRawHeaders(token));
    assert.deepEqual(
      { ...caller, assertion: caller.assertion.reveal() },
      {
        tenantId: TENANT,
        objectId: USER,
        clientId: FRONT_END,
        userPrincipalName: 'anna@example.com',
        tokenId: 'dXRp',
        scopes: ['EnrollmentToken.Create', 'EnrollmentToken.Read'],
        expiresAt: Number(claims['exp']) * 1_000,
        assertion: token,
        assertionHash: hash('sha256', token, 'base64'),
      },
    );
    assert.ok(!inspect(caller, { depth: 9 }).includes(token) && !JSON.stringify(caller).includes(token));
  });
}

test('a key that nobody published, and an issuer that is none of its tenant: told without the name in the token', async () => {
  const { code, message } = await createBench().refuse(
    ...toRawHeaders(forge({ pair: createPair('unpublished'), claims: { iss: 'https://elsewhere.test' } })),
  );
  assert.equal(code, 'wrong_issuer');
  assert.equal(
    message,
    'The access token is neither from the v2.0 nor from the v1.0 issuer of the tenant that it names (tid).',
  );
});

describe('the refusal tells the developer what to do', () => {
  const scope = `api://${CLIENT}/EnrollmentToken.Create`;
  const seconds = Math.floor(Date.now() / 1_000);
  const cases = [
    [
      { aud: 'https://graph.microsoft.com' },
      `This token was issued for Microsoft Graph. Request one with the scope ${scope}.`,
    ],
    [
      { aud: 'api://other' },
      `This v2.0 token was issued for api://other. Request one with the scope ${scope}.`,
    ],
    [
      { aud: 'api://a"\r\nb' },
      `This v2.0 token was issued for api://a"??b. Request one with the scope ${scope}.`,
    ],
    [{ exp: seconds - 245, nbf: 0 }, 'The access token expired 4 min ago. Request a new one.'],
    [{ exp: seconds - 90, nbf: 0 }, 'The access token expired 90 s ago. Request a new one.'],
    [{ exp: seconds - 9_000, nbf: 0 }, 'The access token expired 2 h ago. Request a new one.'],
    [{ exp: 1, nbf: 0 }, 'The access token expired more than a year ago. Request a new one.'],
    [
      { nbf: Number.MAX_SAFE_INTEGER - 1, exp: Number.MAX_SAFE_INTEGER },
      'The access token is not valid for more than a year to come. Check the clock of the caller.',
    ],
    [{ exp: seconds - 364 * 86_400, nbf: 0 }, 'The access token expired 8736 h ago. Request a new one.'],
    [
      { iss: 'https://sts.elsewhere.test/\r\n' },
      `The access token was issued by https://sts.elsewhere.test/??. Expected is the v2.0 or the v1.0 issuer of the tenant ${TENANT}.`,
    ],
    [{ tid: undefined }, 'The access token names no tenant (tid), as all of Microsoft Entra ID do.'],
    [{ tid: OTHER_TENANT }, 'The tenant that the access token names (tid) is not in ALLOWED_TENANT_IDS.'],
    [
      { nbf: seconds + 600 },
      'The access token is not valid for another 10 min. Check the clock of the caller.',
    ],
    [
      { scp: undefined, azp: undefined },
      `This is an id token. Send an access token: request one with the scope ${scope}.`,
    ],
    [
      { scp: undefined, azp: undefined, name: undefined, preferred_username: undefined, aud: FRONT_END },
      `This is an id token. Send an access token: request one with the scope ${scope}.`,
    ],
    [{ scp: undefined }, 'App-only tokens cannot be used here: a signed-in user is needed.'],
    [
      { ver: '1.0' },
      'The issuer of the access token is the one of v2.0 tokens, but its claim "ver" says otherwise.',
    ],
    [{ oid: undefined }, 'The access token does not name the user (oid).'],
    [{ exp: 'soon' }, 'The access token is malformed: its claim "exp" is absent or of a wrong type.'],
  ] as const;
  for (const [claims, expected] of cases) {
    test(expected, async () => {
      // The clock stands still: what was made above is as old as it was then.
      const { refuse } = createBench({ now: () => seconds * 1_000 });
      const { message, options } = await refuse(...toRawHeaders(forge({ claims })));
      assert.equal(message, expected);
      assert.ok(options.challenge === undefined || !/[\r\n]/.test(options.challenge));
    });
  }
});

test('no token: a challenge without an error code; a bad one: with invalid_token', async () => {
  const { refuse } = createBench();
  const missing = await refuse('Host', 'x');
  assert.equal(missing.code, 'missing_token');
  assert.doesNotMatch(missing.options.challenge ?? 'error', /error/);
  const invalid = await refuse('Authorization', 'Bearer x');
  assert.match(
    invalid.options.challenge ?? '',
    /^Bearer .*, error="invalid_token", error_description="What was sent/,
  );
});

test('security: a token in a query, a body or another header is never looked at', async () => {
  const token = forge();
  const { refuse } = createBench();
  const problem = await refuse(
    'Host',
    `x?access_token=${token}`,
    'X-Access-Token',
    token,
    'Cookie',
    `access_token=${token}`,
  );
  assert.equal(problem.code, 'missing_token');
});

test('Entra dead at start: 503 with Retry-After, never a 401; then recovery', async () => {
  const { authenticate, refuse, entra, clock } = createBench();
  const { metadata } = entra;
  entra.metadata = () => new OutboundError('not_sent', 'unreachable');
  const problem = await refuse(...toRawHeaders(forge()));
  assert.equal(problem.code, 'entra_unavailable');
  assert.ok((problem.options.retryAfterSeconds ?? 0) >= 1);
  assert.equal(problem.options.challenge, undefined);
  entra.metadata = metadata;
  clock.now += (problem.options.retryAfterSeconds ?? 0) * 1_000;
  assert.equal((await authenticate(toRawHeaders(forge()))).objectId, USER);
});

test('Entra dead: what needs no keys to be refused is refused as ever', async () => {
  const { refuse, entra } = createBench();
  entra.metadata = () => new OutboundError('not_sent', 'unreachable');
  assert.equal((await refuse(...toRawHeaders('x'))).code, 'invalid_token');
  assert.equal(
    (await refuse(...toRawHeaders(forge({ claims: { tid: OTHER_TENANT } })))).code,
    'tenant_not_allowed',
  );
  assert.equal(entra.calls.length, 0);
});

const sourceOf = (tenantId: string, entra: ReturnType<typeof createFakeEntra>) =>
  createKeySource({ authorityHost: AUTHORITY, tenantId, outbound: entra.outbound, log: silentLog });

test('several tenants, each with its own keys: those of one open nothing in another', async () => {
  const issuer = `${AUTHORITY}/${OTHER_TENANT}/v2.0`;
  const { authenticate, refuse } = createBench({
    keySources: [
      sourceOf(TENANT, createFakeEntra([KEY_1])),
      sourceOf(OTHER_TENANT, createFakeEntra([KEY_2], issuer)),
    ],
  });
  assert.equal((await authenticate(toRawHeaders(forge()))).tenantId, TENANT);
  const other = { tid: OTHER_TENANT, iss: issuer };
  assert.equal(
    (await authenticate(toRawHeaders(forge({ pair: KEY_2, claims: other })))).tenantId,
    OTHER_TENANT,
  );
  assert.equal((await refuse(...toRawHeaders(forge({ pair: KEY_2 })))).code, 'invalid_token');
  assert.equal((await refuse(...toRawHeaders(forge({ pair: KEY_1, claims: other })))).code, 'invalid_token');
  assert.equal(
    (await refuse(...toRawHeaders(forge({ pair: KEY_2, claims: { tid: OTHER_TENANT } })))).code,
    'wrong_issuer',
  );
});

test('a key that took the name of another: its tokens pass at once, those of the other never again', async () => {
  const { authenticate, refuse, entra } = createBench();
  const successor = createPair(KEY_1.kid);
  const withdrawn = forge();
  await authenticate(toRawHeaders(withdrawn));
  entra.jwks = () => toAnswer({ keys: [toJwk(successor)] });
  const callers = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      authenticate(toRawHeaders(forge({ pair: successor, claims: { uti: `${at}` } }))),
    ),
  );
  assert.equal(callers.length, 20);
  assert.equal((await refuse(...toRawHeaders(withdrawn))).code, 'invalid_token');
  assert.equal(entra.calls.length, 4, 'two loads of two documents');
});

test('a token refused just before its key was published under a name known passes 30 seconds later', async () => {
  const { authenticate, refuse, entra, clock } = createBench();
  await authenticate(toRawHeaders(forge()));
  const successor = createPair(KEY_1.kid);
  const token = forge({ pair: successor });
  for (let turn = 0; turn < 3; turn += 1) await refuse(...toRawHeaders(token));
  assert.equal(entra.calls.length, 4, 'a token known to be forged asks Entra again within 30 s');
  entra.jwks = () => toAnswer({ keys: [toJwk(successor)] });
  clock.now += 30_000;
  assert.equal((await authenticate(toRawHeaders(token))).objectId, USER);
});

test('security: a flood of forged tokens, the same or others, asks Entra once in 30 seconds', async () => {
  const { authenticate, refuse, entra, clock } = createBench();
  await authenticate(toRawHeaders(forge()));
  for (let turn = 0; turn < 6; turn += 1) {
    const tokens = [forge({ pair: ATTACKER }), forge({ pair: ATTACKER, claims: { uti: `${turn}` } })];
    await Promise.all([...tokens, ...tokens].map((token) => refuse(...toRawHeaders(token))));
    clock.now += 10_000;
  }
  assert.equal(entra.calls.length, 2 + 2 * 2);
});

test('the challenge leads to the first tenant, and once the signature held to that of the token', async () => {
  const issuer = `${AUTHORITY}/${OTHER_TENANT}/v2.0`;
  const { refuse } = createBench({
    keySources: [
      sourceOf(TENANT, createFakeEntra([KEY_1])),
      sourceOf(OTHER_TENANT, createFakeEntra([KEY_2], issuer)),
    ],
  });
  const expired = { tid: OTHER_TENANT, iss: issuer, exp: 2, nbf: 1 };
  for (const [token, tenant] of [
    ['x', TENANT],
    [forge({ pair: ATTACKER, claims: expired }), TENANT],
    [forge({ pair: KEY_2, claims: expired }), OTHER_TENANT],
    [forge({ pair: KEY_2, claims: { tid: OTHER_TENANT } }), OTHER_TENANT],
    [forge({ claims: { aud: 'x' } }), TENANT],
  ] as const) {
    const { options } = await refuse(...toRawHeaders(token));
    assert.match(
      options.challenge ?? '',
      new RegExp(`authorization_uri="${AUTHORITY}/${tenant}/oauth2/v2.0/authorize"`),
    );
  }
});

test('a token without a scope has a caller: which scope is missing is for the operation to say', async () => {
  const { authenticate, refuse, cache } = createBench();
  // Made once: another one is another token as soon as a second has passed.
  const token = forge({ claims: { scp: '' } });
  for (const each of [token, forge({ claims: { scp: '  ' } })]) {
    const { scopes, objectId } = await authenticate(toRawHeaders(each));
    assert.deepEqual([scopes, objectId], [[], USER]);
  }
  assert.deepEqual(await authenticate(toRawHeaders(token)), await authenticate(toRawHeaders(token)));
  assert.deepEqual(cache, ['miss', 'miss', 'hit', 'hit']);
  for (const [changes, code] of [
    [{ pair: ATTACKER }, 'invalid_token'],
    [{ claims: { scp: '', aud: 'x' } }, 'wrong_audience'],
    [{ claims: { scp: '', exp: 1, nbf: 0 } }, 'token_expired'],
    [{ claims: { scp: '', iss: 'x' } }, 'wrong_issuer'],
    [{ claims: { scp: '', idtyp: 'app' } }, 'app_only_token'],
  ] as const) {
    assert.equal((await refuse(...toRawHeaders(forge({ claims: { scp: '' }, ...changes })))).code, code);
  }
});

describe('the cache of verified tokens', () => {
  test('answers the second time, for that token alone', async () => {
    const { authenticate, cache } = createBench();
    const [anna, bert] = [forge(), forge({ claims: { oid: OTHER_TENANT } })];
    const first = await authenticate(toRawHeaders(anna));
    assert.deepEqual(await authenticate(toRawHeaders(anna)), first);
    assert.equal((await authenticate(toRawHeaders(bert))).objectId, OTHER_TENANT);
    assert.deepEqual(cache, ['miss', 'hit', 'miss']);
  });

  test('security: of callers who come at once each gets himself', async () => {
    const { authenticate } = createBench();
    const ids = Array.from(
      { length: 100 },
      (_, i) => `00000000-0000-4000-8000-${String(i % 50).padStart(12, '0')}`,
    );
    const callers = await Promise.all(
      ids.map((oid) => authenticate(toRawHeaders(forge({ claims: { oid } })))),
    );
    assert.deepEqual(
      callers.map(({ objectId }) => objectId),
      ids,
    );
  });

  test('security: keeps no refusal and no forgery of a token it holds', async () => {
    const { authenticate, refuse, cache } = createBench();
    const token = forge();
    await authenticate(toRawHeaders(token));
    const [header, claims] = token.split('.');
    const forged = `${header}.${claims}.${forge({ pair: ATTACKER }).split('.')[2]}`;
    for (let i = 0; i < 3; i += 1)
      assert.equal((await refuse(...toRawHeaders(forged))).code, 'invalid_token');
    assert.deepEqual(cache, ['miss', 'miss', 'miss', 'miss']);
  });

  test('security: is emptied when the key set changes', async () => {
    const { authenticate, refuse, entra, keySource, clock } = createBench();
    const token = forge();
    await authenticate(toRawHeaders(token));
    entra.jwks = () => toAnswer({ keys: [toJwk(KEY_2)] });
    await keySource.keySetFor('key-2');
    assert.equal((await refuse(...toRawHeaders(token))).code, 'invalid_token');
    assert.ok(clock.now > 0);
  });

  test('survives a refresh that changed nothing, and ends with the token', async () => {
    const { authenticate, refuse, keySource, clock, cache } = createBench();
    const token = forge({ claims: { exp: Math.floor(clock.now / 1_000) + 60 } });
    await authenticate(toRawHeaders(token));
    await keySource.keySetFor('unknown');
    await authenticate(toRawHeaders(token));
    clock.now += MINUTE + 1_000;
    await authenticate(toRawHeaders(token));
    clock.now += MINUTE;
    assert.equal((await refuse(...toRawHeaders(token))).code, 'token_expired');
    assert.deepEqual(cache, ['miss', 'hit', 'miss', 'miss']);
  });
});

test('security: passport-azure-ad prints nothing, whatever token comes', async (t) => {
  // Read, not replaced: the test runner speaks through the same streams.
  const writes = [process.stdout, process.stderr].map((stream) => t.mock.method(stream, 'write').mock);
  const { authenticate } = createBench();
  for (const [token] of Object.values(HOSTILE_TOKENS))
    await authenticate(toRawHeaders(token)).catch(() => {});
  await authenticate(toRawHeaders(forge()));
  const lines = writes.flatMap(({ calls }) => calls.map(({ arguments: [chunk] }) => String(chunk)));
  assert.deepEqual(
    lines.filter((line) => line.includes('AzureAD')),
    [],
  );
});
