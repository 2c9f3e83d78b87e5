import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_ID, DAEMON, OTHER_TENANT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import type { TokenRequest } from '../../sandbox/entra/access-token.ts';
import type { ProblemCode } from '../../src/errors.ts';
import { startService } from '../support/service.ts';
import { ask } from './support/ask.ts';
import { parseChallenge } from './support/challenge.ts';

const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const SCOPE = `api://${CLIENT_ID}/EnrollmentToken.Create`;
/** Stands still: how long ago a token expired is part of what is answered. */
const start = Date.now();
const seconds = Math.floor(start / 1000);

const ACCEPTED: Readonly<Record<string, TokenRequest>> = {
  'v2.0': {},
  'v2.0 for the App ID URI': { audience: `api://${CLIENT_ID}` },
  'v1.0': { version: '1.0' },
  'v1.0 for the client id': { version: '1.0', audience: CLIENT_ID },
  'several scopes': { scope: 'User.Read EnrollmentToken.Read EnrollmentToken.Create' },
  'marked as a user': { claims: { idtyp: 'user' } },
};

const REFUSED: Readonly<Record<string, readonly [TokenRequest, number, ProblemCode, RegExp]>> = {
  'an app-only token': [
    { user: DAEMON, roles: ['EnrollmentToken.Create'] },
    403,
    'app_only_token',
    /signed-in user/,
  ],
  'an app-only token, v1.0': [
    { user: DAEMON, roles: ['EnrollmentToken.Create'], version: '1.0' },
    403,
    'app_only_token',
    /signed-in user/,
  ],
  'an id token': [
    { claims: { scp: undefined, azp: undefined, azpacr: undefined, nonce: 'n' } },
    401,
    'invalid_token',
    new RegExp(`id token.*${SCOPE}`),
  ],
  'an id token for the scope openid alone': [
    {
      claims: {
        scp: undefined,
        azp: undefined,
        azpacr: undefined,
        name: undefined,
        preferred_username: undefined,
      },
    },
    401,
    'invalid_token',
    new RegExp(`id token.*${SCOPE}`),
  ],
  'an id token, v1.0': [
    { version: '1.0', claims: { scp: undefined, appid: undefined, appidacr: undefined, unique_name: 'a' } },
    401,
    'invalid_token',
    new RegExp(`id token.*${SCOPE}`),
  ],
  'a personal account': [{ tenantId: PERSONAL_TENANT }, 403, 'personal_account', /[Pp]ersonal/],
  'a tenant that is not listed': [{ tenantId: OTHER_TENANT_ID }, 403, 'tenant_not_allowed', /tenant/],
  'an application that is not listed': [
    { clientId: '5a17d0c5-0000-4000-8000-00000000beef' },
    403,
    'client_not_allowed',
    /5a17d0c5-0000-4000-8000-00000000beef is not in ALLOWED_CLIENT_IDS/,
  ],
  'a token for Graph': [
    { audience: 'https://graph.microsoft.com' },
    401,
    'wrong_audience',
    new RegExp(`issued for Microsoft Graph\\. Request one with the scope ${SCOPE}`),
  ],
  'a token for another API': [
    { audience: 'api://another' },
    401,
    'wrong_audience',
    new RegExp(`issued for api://another\\. Request one with the scope ${SCOPE}`),
  ],
  'an expired one': [
    { claims: { exp: seconds - 240, nbf: seconds - 7200 } },
    401,
    'token_expired',
    /expired 4 min ago/,
  ],
  'one that is not valid yet': [{ claims: { nbf: seconds + 600 } }, 401, 'token_not_yet_valid', /clock/],
  'the scope of another operation': [
    { scope: 'EnrollmentToken.Read' },
    403,
    'insufficient_scope',
    new RegExp(`lacks the scope EnrollmentToken\\.Create\\. Request one with the scope ${SCOPE}`),
  ],
  'a scope of a similar name': [{ scope: 'enrollmenttoken.create' }, 403, 'insufficient_scope', /lacks/],
  'v2.0 that says v1.0': [{ claims: { ver: '1.0' } }, 401, 'invalid_token', /"ver"/],
};

test('tokens of every kind, over HTTP', async (t) => {
  const service = await startService(t, { now: () => start });
  for (const [name, token] of Object.entries(ACCEPTED)) {
    await t.test(`accepted: ${name}`, async () => {
      assert.equal((await ask(service, await service.bearer(token))).status, 204);
    });
  }
  const { length } = service.graph.journal.commits;
  for (const [name, [token, status, code, message]] of Object.entries(REFUSED)) {
    await t.test(`${code}: ${name}`, async () => {
      const reply = await ask(service, await service.bearer(token));
      assert.deepEqual([reply.status, reply.code], [status, code]);
      assert.match(reply.message ?? '', message);
      if (status !== 401 && code !== 'insufficient_scope') return assert.equal(reply.challenge, undefined);
      const challenge = parseChallenge(reply.challenge);
      assert.equal(challenge['error'], status === 401 ? 'invalid_token' : 'insufficient_scope');
      assert.equal(challenge['error_description'], reply.message?.replaceAll('"', "'"));
      assert.equal(challenge['scope'], status === 401 ? undefined : SCOPE);
    });
  }
  assert.equal(service.graph.journal.commits.length, length);
});

test('several tenants: each by its own metadata, exchanged at its own endpoint', async (t) => {
  const service = await startService(t, {
    environment: { ALLOWED_TENANT_IDS: `${TENANT_ID},${OTHER_TENANT_ID.toUpperCase()}` },
  });
  const { entra, notReady } = service;
  for (const version of ['2.0', '1.0'] as const) {
    for (const tenantId of [TENANT_ID, OTHER_TENANT_ID]) {
      assert.equal((await ask(service, await service.bearer({ tenantId, version }))).status, 204);
    }
  }
  assert.deepEqual(
    entra.journal.exchanges.map(({ tenantId }) => tenantId),
    [TENANT_ID, OTHER_TENANT_ID, TENANT_ID, OTHER_TENANT_ID],
  );
  assert.equal(entra.journal.counts.metadata, 2);
  assert.deepEqual(notReady(), []);

  const mixed = [
    { tenantId: OTHER_TENANT_ID, claims: { iss: `${entra.url}/${TENANT_ID}/v2.0` } },
    { tenantId: TENANT_ID, claims: { iss: `${entra.url}/${OTHER_TENANT_ID}/v2.0` } },
    { tenantId: TENANT_ID, claims: { tid: OTHER_TENANT_ID } },
    { version: '1.0', tenantId: TENANT_ID, claims: { tid: OTHER_TENANT_ID } },
    { tenantId: TENANT_ID, claims: { iss: `${entra.url}/common/v2.0` } },
  ] as const;
  for (const token of mixed) {
    const reply = await ask(service, await service.bearer(token));
    assert.deepEqual([reply.status, reply.code], [401, 'wrong_issuer']);
  }
  assert.equal(
    (await ask(service, await service.bearer({ tenantId: PERSONAL_TENANT }))).code,
    'personal_account',
  );
});

test('several tenants: whoever shows none is sent to the one at home, wherever the list names it', async (t) => {
  const service = await startService(t, {
    environment: { ALLOWED_TENANT_IDS: `${OTHER_TENANT_ID},${TENANT_ID}` },
  });
  const expired = { claims: { exp: 2, nbf: 1 } };
  for (const [headers, tenantId] of [
    [{}, TENANT_ID],
    [{ authorization: 'Bearer x' }, TENANT_ID],
    [await service.bearer(expired), TENANT_ID],
    [await service.bearer({ ...expired, tenantId: OTHER_TENANT_ID }), OTHER_TENANT_ID],
    [await service.bearer({ scope: 'EnrollmentToken.Read', tenantId: OTHER_TENANT_ID }), OTHER_TENANT_ID],
  ] as const) {
    assert.equal(
      parseChallenge((await ask(service, headers)).challenge)['authorization_uri'],
      `${service.entra.url}/${tenantId}/oauth2/v2.0/authorize`,
    );
  }
});

test('only tenants other than the one at home: whoever shows none is sent to the first', async (t) => {
  const service = await startService(t, { environment: { ALLOWED_TENANT_IDS: OTHER_TENANT_ID } });
  const { challenge } = await ask(service, {});
  assert.match(parseChallenge(challenge)['authorization_uri'] ?? '', new RegExp(OTHER_TENANT_ID));
});

test('a token without any scope: the refusal names the scope of the route, and the journal the caller', async (t) => {
  const service = await startService(t);
  const list = service.url + service.createPath().replace(/\/[^/]+\/createToken$/, '');
  const response = await fetch(list, { headers: await service.bearer({ scope: ' ' }) });
  assert.equal(response.status, 403);
  const { error, scope } = parseChallenge(response.headers.get('www-authenticate') ?? undefined);
  assert.deepEqual([error, scope], ['insufficient_scope', `api://${CLIENT_ID}/EnrollmentToken.Read`]);
  assert.match(await response.text(), /lacks the scope EnrollmentToken\.Read/);
  const [refusal] = await service.audited('refusal');
  assert.deepEqual([refusal?.['code'], refusal?.['status']], ['insufficient_scope', 403]);
  assert.ok(refusal !== undefined && 'actor' in refusal, 'nobody is named');
});

test('a tenant that Entra cannot be asked for: its callers get 503, all others are served', async (t) => {
  const service = await startService(t, {
    environment: { ALLOWED_TENANT_IDS: `${TENANT_ID},${OTHER_TENANT_ID}` },
  });
  // The first to ask are the callers of the tenant at home.
  assert.equal((await ask(service, await service.bearer())).status, 204);
  service.entra.faults.add({ operation: 'metadata', kind: 'answer', status: 404, times: 'always' });
  const reply = await ask(service, await service.bearer({ tenantId: OTHER_TENANT_ID }));
  assert.deepEqual([reply.status, reply.code], [503, 'entra_unavailable']);
  assert.equal((await ask(service, await service.bearer())).status, 204);
  assert.deepEqual(service.notReady(), [], 'one tenant took the service from all');
});
