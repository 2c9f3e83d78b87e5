import assert from 'node:assert/strict';
import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { DAEMON, OPERATOR, OTHER_TENANT_ID, READER, TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox, type Sandbox } from '../support/sandbox.ts';
import { exchange, postForm, toForm, type Form } from './exchange.ts';
import { sendRequest } from './send-request.ts';

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.string(), token_endpoint: z.string() });
const Keys = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
const EntraError = z.object({
  error: z.string(),
  error_description: z.string(),
  error_codes: z.array(z.number()),
  suberror: z.string().optional(),
  claims: z.string().optional(),
  trace_id: z.guid(),
  correlation_id: z.guid(),
  timestamp: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
});

describe('the sandbox Entra', () => {
  let sandbox: Sandbox;
  let clock: number;
  before(async () => {
    sandbox = await startSandbox({ entra: { now: () => clock } });
  });
  beforeEach(() => {
    clock = Date.now();
    sandbox.entra.journal.clear();
    sandbox.entra.faults.clear();
  });
  after(() => sandbox.close());

  const get = async (url: string) => JSON.parse((await sendRequest(url, { ca: sandbox.ca.caPem })).body);
  const control = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: Record<string, unknown>) =>
    sendRequest(`${sandbox.entra.url}/sandbox/${path}`, {
      ca: sandbox.ca.caPem,
      method,
      ...(body && { body }),
    });
  const readKeys = async () =>
    Keys.parse(await get(`${sandbox.entra.url}/${TENANT_ID}/discovery/v2.0/keys`)).keys;

  test('metadata and keys of both versions verify the tokens of both versions', async () => {
    const { entra } = sandbox;
    for (const [version, path] of [
      ['1.0', '.well-known'],
      ['2.0', 'v2.0/.well-known'],
    ] as const) {
      const metadata = Metadata.parse(await get(`${entra.url}/${TENANT_ID}/${path}/openid-configuration`));
      const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), {
        [customFetch]: async (url) => new Response(JSON.stringify(await get(url))),
      });
      const token = await entra.issueToken({ version, user: READER, scope: 'EnrollmentToken.Read' });
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: metadata.issuer,
        audience: version === '1.0' ? `api://${entra.client.clientId}` : entra.client.clientId,
      });
      assert.equal(protectedHeader.alg, 'RS256');
      assert.equal(payload['oid'], READER.objectId);
      assert.equal(payload['scp'], 'EnrollmentToken.Read');
      assert.equal(payload['ver'], version);
      assert.ok(
        version === '1.0'
          ? payload['appid'] && payload['upn']
          : payload['azp'] && payload['preferred_username'],
      );
    }
    assert.equal((await readKeys())[0]?.['issuer'], `${entra.url}/${TENANT_ID}/v2.0`);
    const [v1Key] = Keys.parse(await get(`${entra.url}/${TENANT_ID}/discovery/keys`)).keys;
    assert.ok(v1Key && !('issuer' in v1Key));
    const shared = Metadata.parse(await get(`${entra.url}/common/v2.0/.well-known/openid-configuration`));
    assert.equal(shared.issuer, `${entra.url}/{tenantid}/v2.0`);
    assert.deepEqual(entra.journal.counts, { metadata: 3, keys: 4, token: 0 });
  });

  test('a token can be bent in every claim and header', async () => {
    const token = await sandbox.entra.issueToken({
      user: DAEMON,
      roles: ['EnrollmentToken.Create.All'],
      audience: 'https://graph.microsoft.com',
      claims: { tid: undefined, extra: [1] },
      header: { typ: 'at+jwt' },
    });
    const claims = decodeJwt(token);
    assert.deepEqual([claims['scp'], claims['tid'], claims['extra']], [undefined, undefined, [1]]);
    assert.deepEqual(claims['roles'], ['EnrollmentToken.Create.All']);
    assert.equal(claims.aud, 'https://graph.microsoft.com');
  });

  test('keys rotate, are held back, published, swapped and replaced', async () => {
    const { keys } = sandbox.entra;
    const kids = async () => (await readKeys()).map(({ kid }) => kid);
    const first = keys.current().kid;
    const second = await keys.rotate();
    assert.deepEqual(await kids(), [first, second]);
    const third = await keys.rotate({ published: false });
    assert.deepEqual([await kids(), keys.current().kid], [[first, second], third]);
    keys.publish();
    assert.deepEqual(await kids(), [first, second, third]);
    const fourth = await keys.swapKeys();
    assert.deepEqual(await kids(), [fourth]);
    const [shown] = await readKeys();
    assert.equal(await keys.swapKeys({ sameKid: true }), fourth);
    const [swapped] = await readKeys();
    assert.equal(swapped?.['kid'], fourth);
    assert.notEqual(swapped['n'], shown?.['n']);
    keys.setKeys({ keys: [] });
    assert.deepEqual(await readKeys(), []);
    keys.setKeys(undefined);
    assert.deepEqual(await kids(), [fourth]);
  });

  test('exchanges a token on behalf of its user', async () => {
    const { entra, graph } = sandbox;
    const answer = await exchange(sandbox, await entra.issueToken({ user: READER }));
    assert.equal(answer.expires_in, 4800);
    assert.match(answer.scope, new RegExp(`${graph.url}/\\.default$`));
    const record = entra.graphTokens.read(answer.access_token);
    assert.deepEqual(
      [record?.user, record?.tenantId, record?.audience, record?.handlesChallenges],
      [READER.objectId, TENANT_ID, graph.url, false],
    );
    const [entry] = entra.journal.exchanges;
    assert.deepEqual([entry?.user, entry?.credential, entry?.status], [READER.objectId, 'secret', 200]);
    assert.equal(entra.journal.counts.token, 1);
  });

  test('a client that handles claims challenges gets a longer token, which remembers them', async () => {
    const claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';
    const answer = await exchange(sandbox, await sandbox.entra.issueToken(), { claims });
    assert.equal(answer.expires_in, 24 * 60 * 60);
    assert.equal(sandbox.entra.graphTokens.read(answer.access_token)?.handlesChallenges, true);
    assert.equal(sandbox.entra.journal.exchanges[0]?.claims, claims);
  });

  const wrong: readonly (readonly [string, Form, number, string, number])[] = [
    ['without grant_type', { grant_type: undefined }, 400, 'invalid_request', 900144],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
    ['another client', { client_id: randomUUID() }, 400, 'unauthorized_client', 700016],
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
    ['no credential', { client_secret: undefined }, 401, 'invalid_client', 7000218],
    [
      'a scope without .default',
      { scope: 'https://graph.microsoft.com/User.Read' },
      400,
      'invalid_scope',
      70011,
    ],
    [
      'a scope of another resource',
      { scope: 'https://graph.microsoft.com/.default' },
      400,
      'invalid_scope',
      70011,
    ],
    ['without requested_token_use', { requested_token_use: undefined }, 400, 'invalid_request', 900144],
    ['without an assertion', { assertion: undefined }, 400, 'invalid_request', 900144],
    ['an assertion that is no JWT', { assertion: 'x' }, 400, 'invalid_grant', 50027],
    ['claims that are no JSON', { claims: '{' }, 400, 'invalid_request', 900235],
  ];
  for (const [what, changes, status, error, code] of wrong) {
    test(`refuses ${what}`, async () => {
      const answer = await postForm(sandbox, toForm(sandbox, await sandbox.entra.issueToken(), changes));
      const body = EntraError.parse(JSON.parse(answer.body));
      assert.deepEqual([answer.status, body.error, body.error_codes], [status, error, [code]]);
      assert.match(body.error_description, new RegExp(`^AADSTS${code}: `));
      assert.equal(sandbox.entra.journal.exchanges[0]?.code, code);
    });
  }

  const refusedAssertions: readonly (readonly [string, () => Promise<string>, number])[] = [
    ['an expired one', () => sandbox.entra.issueToken({ lifetimeSeconds: -1 }), 500133],
    ['one for another audience', () => sandbox.entra.issueToken({ audience: randomUUID() }), 500131],
    ['one without scp', () => sandbox.entra.issueToken({ claims: { scp: undefined } }), 7000114],
    ['an app-only one', () => sandbox.entra.issueToken({ user: DAEMON, roles: ['x'] }), 7000114],
    ['one of another tenant', () => sandbox.entra.issueToken({ tenantId: OTHER_TENANT_ID }), 50013],
    [
      'one with a broken signature',
      async () => `${(await sandbox.entra.issueToken()).slice(0, -8)}AAAAAAAA`,
      50013,
    ],
    ['one with an unknown key', () => sandbox.entra.issueToken({ header: { kid: 'nobody' } }), 50013],
  ];
  for (const [what, issue, code] of refusedAssertions) {
    test(`refuses an assertion: ${what}`, async () => {
      const answer = await postForm(sandbox, toForm(sandbox, await issue()));
      const body = EntraError.parse(JSON.parse(answer.body));
      assert.deepEqual([answer.status, body.error, body.error_codes], [400, 'invalid_grant', [code]]);
    });
  }

  test('refuses a tenant it does not know', async () => {
    const answer = await postForm(sandbox, toForm(sandbox, await sandbox.entra.issueToken()), randomUUID());
    assert.deepEqual(EntraError.parse(JSON.parse(answer.body)).error_codes, [90002]);
  });

  const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const withAssertion = (client_assertion: string): Form => ({
    client_secret: undefined,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion,
  });

  test('takes a certificate assertion once, and checks it as Entra does', async () => {
    const { entra } = sandbox;
    const pem = await entra.client.addCertificate();
    const thumbprint = createHash('sha256').update(
      new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT'))).raw,
    );
    const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint.digest('base64url') };
    const seconds = Math.floor(clock / 1000);
    const { clientId } = entra.client;
    const good = {
      aud: `${entra.url}/${TENANT_ID}/oauth2/v2.0/token`,
      iss: clientId,
      sub: clientId,
      nbf: seconds,
      iat: seconds,
      exp: seconds + 300,
    };
    const sign = (claims: Record<string, unknown> = {}, head: Record<string, unknown> = {}) =>
      new SignJWT({ ...good, jti: randomUUID(), ...claims })
        .setProtectedHeader({ ...header, ...head })
        .sign(createPrivateKey(pem));
    const codeOf = async (assertion: string) => {
      const { body } = await postForm(
        sandbox,
        toForm(sandbox, await entra.issueToken(), withAssertion(assertion)),
      );
      return EntraError.safeParse(JSON.parse(body)).data?.error_codes[0];
    };

    const assertion = await sign();
    assert.equal(await codeOf(assertion), undefined);
    assert.equal(entra.journal.exchanges.at(-1)?.credential, 'certificate');
    assert.equal(await codeOf(assertion), 700027, 'replayed');
    assert.equal(await codeOf(await sign({ aud: 'https://elsewhere.example' })), 50027);
    assert.equal(await codeOf(await sign({ iss: 'me' })), 700021);
    assert.equal(await codeOf(await sign({ exp: seconds + 3600 })), 700024);
    assert.equal(await codeOf(await sign({ exp: seconds - 1 })), 700024);
    assert.equal(await codeOf(await sign({ jti: undefined })), 50027);
    assert.equal(await codeOf(await sign({}, { 'x5t#S256': 'unknown' })), 700027);
    assert.equal(await codeOf(await sign({}, { alg: 'RS256' })), 700027);
  });

  test('takes a federated assertion of the registered cluster', async () => {
    const { entra } = sandbox;
    const assertion = await entra.client.issueFederatedToken();
    await exchange(sandbox, await entra.issueToken(), withAssertion(assertion));
    assert.equal(entra.journal.exchanges[0]?.credential, 'federated');
    const foreign = await entra.client.issueFederatedToken({ sub: 'system:serviceaccount:other:other' });
    const refused = await postForm(
      sandbox,
      toForm(sandbox, await entra.issueToken(), withAssertion(foreign)),
    );
    assert.equal(refused.status, 401);
  });

  test('puts a refusal upon one user, with claims as a JSON string', async () => {
    const { entra } = sandbox;
    entra.refuse(OPERATOR.objectId, 'interaction_required');
    const refused = await postForm(sandbox, toForm(sandbox, await entra.issueToken()));
    const body = EntraError.parse(JSON.parse(refused.body));
    assert.equal(body.error, 'interaction_required');
    assert.ok(JSON.parse(body.claims ?? '').access_token.capolids);
    assert.equal(entra.journal.exchanges[0]?.user, OPERATOR.objectId);
    await exchange(sandbox, await entra.issueToken({ user: READER }));

    entra.refuse(OPERATOR.objectId, 'temporarily_unavailable');
    const busy = await postForm(sandbox, toForm(sandbox, await entra.issueToken()));
    assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '7']);
    entra.refuse(OPERATOR.objectId, undefined);
    await exchange(sandbox, await entra.issueToken());
  });

  test('every endpoint takes faults', async () => {
    const { entra } = sandbox;
    entra.faults.add({ operation: 'keys', kind: 'answer', status: 200, body: 'html' });
    entra.faults.add({
      operation: 'metadata',
      kind: 'answer',
      status: 302,
      headers: { location: 'https://127.0.0.1' },
    });
    entra.faults.add({ operation: 'token', kind: 'reset' });
    const options = { ca: sandbox.ca.caPem };
    const keys = await sendRequest(`${entra.url}/${TENANT_ID}/discovery/v2.0/keys`, options);
    assert.deepEqual([keys.status, keys.headers['content-type']], [200, 'text/html']);
    const metadata = await sendRequest(
      `${entra.url}/${TENANT_ID}/v2.0/.well-known/openid-configuration`,
      options,
    );
    assert.deepEqual([metadata.status, metadata.headers.location], [302, 'https://127.0.0.1']);
    await assert.rejects(postForm(sandbox, toForm(sandbox, 'x')), { code: 'ECONNRESET' });
    assert.equal((await readKeys()).length > 0, true, 'one-shot');
  });

  test('is told what to do over HTTP', async () => {
    const issued = await control('POST', 'tokens', { scope: 'EnrollmentToken.Read', name: 'Zoë' });
    const claims = decodeJwt(
      z.object({ access_token: z.string() }).parse(JSON.parse(issued.body)).access_token,
    );
    assert.deepEqual([claims['scp'], claims['name']], ['EnrollmentToken.Read', 'Zoë']);
    const before = (await readKeys()).length;
    assert.equal((await control('POST', 'keys/rotate')).status, 200);
    assert.equal((await readKeys()).length, before + 1);
    assert.equal((await control('PUT', 'keys', { jwks: { keys: [] } })).status, 204);
    assert.equal((await readKeys()).length, 0);
    assert.equal((await control('DELETE', 'keys')).status, 204);
    assert.equal((await control('POST', 'keys/swap', { sameKid: true })).status, 200);
    assert.equal((await control('POST', 'refusals', { refusal: 'not_assigned' })).status, 204);
    const refused = await postForm(sandbox, toForm(sandbox, await sandbox.entra.issueToken()));
    assert.deepEqual(EntraError.parse(JSON.parse(refused.body)).error_codes, [50105]);
    await control('POST', 'refusals', { refusal: null });
    assert.equal(JSON.parse((await control('GET', 'journal')).body).exchanges.length, 1);
    const { access_token: graphToken } = await exchange(sandbox, await sandbox.entra.issueToken());
    await control('POST', 'graph-tokens/revoke', { user: OPERATOR.objectId });
    assert.equal(sandbox.entra.graphTokens.read(graphToken), undefined);
    assert.equal((await control('POST', 'refusals', { refusal: 'nonsense' })).status, 400);
    assert.equal((await control('POST', 'faults', { kind: 'nonsense' })).status, 400);
    assert.equal((await control('GET', 'nothing')).status, 404);
  });
});
