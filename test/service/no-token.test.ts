import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, parseRaw, request, sendRaw } from '../http/raw-http.ts';
import { startService } from '../support/service.ts';
import { parseChallenge } from './support/challenge.ts';

const BODY = '{"tokenValidityInSeconds":60}';
const BODY_LINES = ['Content-Type: application/json', `Content-Length: ${BODY.length}`];

/** All that a request without a token may be answered with; 429 belongs to it, too, but the limit is off here. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 404, 405]);

test('security: without a token no path, method, header or user agent opens anything', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT_ADDRESS: 'off' } });
  const { url, graph, entra } = service;
  const id = graph.profiles.deviceOwner;
  const list = '/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles';
  const create = service.createPath();
  const paths = [
    create,
    create.replace('/beta', ''),
    `${list}/${id}/enrollmentToken`,
    `${list}/${id}/qrCodeImage`,
    `${list}/${id}/revokeToken`,
    `${list}/${id}`,
    list,
    '/',
    '//',
    '*',
    '/beta',
    '/livez',
    '/readyz',
    '/metrics',
    '/healthz/',
    '/healthz%2f',
    '/healthz;',
    '/healthz/..',
    `/healthz/..${create}`,
    `/healthz/%2e%2e${create}`,
    `/healthz%2f..${create}`,
    `/healthz;${create}`,
    `/healthz\\..${create}`,
    `/healthz%00${create}`,
    `/healthz#${create}`,
    `/openapi.json${create}`,
    `/docs/..${create}`,
    `/docs/%2e%2e/%2e%2e${create}`,
    `/favicon.ico/..${create}`,
    `/.well-known/..${create}`,
    `/static/..;${create}`,
    `/;${create}`,
    `/.${create}`,
    `//healthz/..${create}`,
    `/%2e${create}`,
    `${create}/`,
    `${create}//`,
    `${create}/.`,
    `${create}/healthz`,
    `${create}%2fhealthz`,
    `${create};/healthz`,
    `${create};.css`,
    `${create}.json`,
    `${create}%20`,
    `${create}%09`,
    `${create}%00.png`,
    `${create}?/healthz`,
    `${create}?path=/healthz`,
    `${create}#/healthz`,
    create.toUpperCase(),
    create.replaceAll('/', '//'),
    create.replaceAll('/', '\\'),
    create.replaceAll('/', '%2f'),
    create.replace('createToken', '%63reateToken'),
    create.replace('createToken', 'createToken%0d%0aAuthorization:%20Bearer%20x'),
    `http://localhost${create}`,
    `http://localhost/healthz/..${create}`,
    `http://user:pass@localhost${create}`,
    `https://[::1]${create}`,
    `http://localhost/healthz#${create}`,
    `http://${create}`,
    '/__proto__',
    '/constructor/healthz',
    '/admin',
    '/sandbox/journal',
    '/.env',
    '/%c0%ae%c0%ae/healthz',
    '/\u00e9',
  ];
  const methods = ['POST', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];
  const disguises: readonly (readonly string[])[] = [
    [],
    ['User-Agent: kube-probe/1.30', 'X-Forwarded-For: 127.0.0.1'],
    [
      'User-Agent: GoogleHC/1.0',
      'X-Original-URL: /healthz',
      'X-Rewrite-URL: /healthz',
      'X-Forwarded-Uri: /healthz',
    ],
    ['User-Agent: ELB-HealthChecker/2.0', 'X-HTTP-Method-Override: GET', 'X-Method-Override: OPTIONS'],
    [
      'X-Forwarded-User: admin',
      'X-Auth-Request-User: admin',
      'X-Remote-User: admin',
      'Remote-User: admin',
      'X-MS-CLIENT-PRINCIPAL: eyJhdXRoX3R5cCI6ImFhZCJ9',
      'X-MS-CLIENT-PRINCIPAL-ID: 5a17d0c5-0000-4000-8000-0000000000a1',
      'X-Forwarded-Access-Token: x',
      'X-Original-Method: OPTIONS',
    ],
    ['Origin: https://login.microsoftonline.com', 'Access-Control-Request-Method: POST', 'X-Internal: true'],
    ['Authorization: Basic YWRtaW46YWRtaW4='],
    ['Authorization:'],
    ['Authorization: Bearer'],
    ['Authorization: Negotiate x', 'Cookie: session=admin; access_token=x'],
  ];
  const opened: string[] = [];
  const asked = async (line: string, lines: readonly string[], body = '') => {
    const { status } = await request(url, line, lines, body);
    if (!REFUSALS.has(status)) opened.push(`${line} [${lines.join('; ')}] → ${status}`);
  };
  // Every path by the two methods that exist, every method on the path that matters, every disguise on both.
  for (const path of paths) {
    await asked(`POST ${path}`, BODY_LINES, BODY);
    await asked(`GET ${path}`, []);
  }
  for (const method of methods) {
    for (const path of [create, list, `${list}/${id}/enrollmentToken`]) await asked(`${method} ${path}`, []);
  }
  for (const disguise of disguises) {
    await asked(`POST ${create}`, [...disguise, ...BODY_LINES], BODY);
    await asked(`GET ${list}/${id}/enrollmentToken`, disguise);
  }
  assert.deepEqual(opened, []);

  // An upgrade, a tunnel, the request line of HTTP/0.9, and a second request hidden in the body of the first.
  for (const text of [
    `GET ${list} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    `CONNECT localhost:443 HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET ${list}\r\n\r\n`,
    `POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET ${list} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]) {
    const { status } = parseRaw(await sendRaw(url, text.replace('Upgrade\r\n', 'close, Upgrade\r\n')));
    assert.ok(Number.isNaN(status) || REFUSALS.has(status), `${text} → ${status}`);
  }
  assert.equal(graph.journal.requests.length, 0);
  assert.equal(entra.journal.exchanges.length, 0);
  assert.deepEqual(await service.audited('intent'), []);
});

test('security: a token in the query, the body, a cookie or another header is never looked at', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT_ADDRESS: 'off' } });
  const { url, entra, graph, createPath } = service;
  const { authorization } = await service.bearer({ scope: 'EnrollmentToken.Create EnrollmentToken.Read' });
  const token = authorization.slice('Bearer '.length);
  const form = `access_token=${token}&tokenValidityInSeconds=60`;
  const json = JSON.stringify({ access_token: token, tokenValidityInSeconds: 60 });
  const withBody = (type: string, body: string) =>
    [[`Content-Type: ${type}`, `Content-Length: ${body.length}`], body] as const;
  const attempts: readonly (readonly [line: string, headers: readonly string[], body?: string])[] = [
    [`POST ${createPath()}?access_token=${token}`, ...withBody('application/json', BODY)],
    [`POST ${createPath()}?authorization=Bearer%20${token}`, ...withBody('application/json', BODY)],
    [`GET ${createPath().replace('createToken', 'enrollmentToken')}?access_token=${token}`, []],
    [`POST ${createPath()}`, ...withBody('application/x-www-form-urlencoded', form)],
    [`POST ${createPath()}`, ...withBody('application/json', json)],
    [`POST ${createPath()}`, [`Cookie: access_token=${token}; Authorization=Bearer ${token}`]],
    [`POST ${createPath()}`, [`Proxy-Authorization: Bearer ${token}`]],
    [`POST ${createPath()}`, [`X-Authorization: Bearer ${token}`, `X-MS-TOKEN-AAD-ACCESS-TOKEN: ${token}`]],
    [`POST ${createPath()}`, [`X-Forwarded-Access-Token: ${token}`, `Access-Token: ${token}`]],
    [`POST ${createPath()}`, [`Sec-WebSocket-Protocol: bearer, ${token}`]],
    [`POST ${createPath()}`, [`Authorization: DPoP ${token}`]],
    [`POST ${createPath()}`, [`Authorization: ${token}`]],
  ];
  for (const [line, headers, body] of attempts) {
    const answer = await request(url, line, headers, body);
    assert.equal(codeOf(answer), 'missing_token', line);
    // RFC 6750 section 3.1: no error code where no token came.
    assert.deepEqual(Object.keys(parseChallenge(answer.headers['www-authenticate'])), [
      'realm',
      'authorization_uri',
      'client_id',
    ]);
  }
  // RFC 6750 section 2: a token sent in two ways is one token, in the header.
  const both = await request(
    url,
    `POST ${createPath()}?access_token=x`,
    [`Authorization: ${authorization}`, ...BODY_LINES],
    BODY,
  );
  assert.equal(both.status, 204);
  for (const second of [authorization, 'Bearer x', 'Basic eDp5', '']) {
    const answer = await request(
      url,
      `POST ${createPath()}`,
      [`Authorization: ${authorization}`, `aUTHORIZATION: ${second}`, ...BODY_LINES],
      BODY,
    );
    assert.equal(codeOf(answer), 'invalid_token', `a second header "${second}"`);
  }
  assert.equal(graph.journal.commits.length, 1);
  assert.equal(entra.journal.exchanges.length, 1);
  const kept = `${service.logged()}${JSON.stringify(await service.audited())}`;
  for (const part of token.split('.')) assert.ok(!kept.includes(part), 'part of a token was kept');
});
