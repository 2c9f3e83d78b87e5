import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { codeOf, parseRaw, request, sendRaw } from './raw-http.ts';

const BODY = '{"tokenValidityInSeconds":60}';

test('a path is one of the routes to the letter, or 404', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const id = service.graph.profiles.deviceOwner;
  const set = 'androidDeviceOwnerEnrollmentProfiles';
  const route = `/deviceManagement/${set}/${id}/createToken`;
  const headers = [
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
  ];
  const post = (target: string) => request(service.url, `POST ${target}`, headers, BODY);

  for (const target of [
    `/beta${route}`,
    route,
    `/beta${route}?`,
    `/beta${route}?access_token=x&$select=tokenValue`,
    `/beta${route}?a=%00%zz`,
    `http://service.example/beta${route}`,
    `HTTPS://other.example:444${route}?x`,
    `/beta${route.replace(id, id.toUpperCase())}`,
    `/beta${route.replace(id, `AOSP-${service.graph.profiles.aosp}`)}`,
  ]) {
    await t.test(`204: ${target}`, async () => {
      const answer = await post(target);
      assert.equal(answer.status, 204, answer.body);
    });
  }
  const { length } = service.graph.journal.commits;

  for (const target of [
    '/',
    '*',
    '/beta',
    `/v1.0${route}`,
    `/BETA${route}`,
    `/beta/beta${route}`,
    `/beta${route}/`,
    `/beta/${route}`,
    `/${route}`,
    `/beta${route.replace('deviceManagement', 'devicemanagement')}`,
    `/beta${route.replace('createToken', 'CreateToken')}`,
    `/beta${route.replace('createToken', 'create%54oken')}`,
    `/beta${route.replace('createToken', 'microsoft.graph.createToken')}`,
    `/beta${route.replace('/createToken', '%2FcreateToken')}`,
    `/beta${route.replaceAll('/', '\\')}`,
    `/beta${route.replaceAll('/', '\\')}#x`,
    `/beta${route}#x`,
    `/beta${route};x=1`,
    `/beta${route.replace(id, `%2e%2e%2f${id}`)}`,
    `/beta${route}%00`,
    `/beta${route}%20`,
    `/x/../beta${route}`,
    `/beta/./${route.slice(1)}`,
    `/beta/x/%2e%2e${route}`,
    `/beta/deviceManagement/${set}/x/../${id}/createToken`,
    `/beta/deviceManagement/${set}//createToken`,
    `/beta/deviceManagement/${set}('${id}')/createToken`,
    '/beta/deviceManagement/constructor/x/createToken',
    '/__proto__',
    '/healthz/',
    '/HEALTHZ',
    'http://service.example',
    'http://service.example/',
    'http://service.example?x',
    'http://[x/beta',
    'http://a:99999999/x',
    'ftp://service.example/healthz',
  ]) {
    await t.test(`404: ${target}`, async () => {
      const answer = await post(target);
      // What llhttp cannot read is refused below the API.
      if (answer.status === 400 && answer.body === '') return;
      assert.equal(answer.status, 404, answer.body);
      assert.equal(codeOf(answer), 'unknown_route');
      assert.match(answer.headers['request-id'] ?? '', /^[0-9a-f-]{36}$/);
    });
  }

  const wrongIds = [
    'x',
    '%00',
    '..',
    '.',
    '%2e%2e',
    `${id}%00`,
    `${id}%20`,
    `${id}.`,
    `{${id}}`,
    id.replaceAll('-', ''),
    id.slice(1),
    `${id}0`,
    `AOSP-${id}x`,
    `AOSP-AOSP-${id}`,
    `AOSP_${id}`,
    `aosp-${id}`,
    `\u00a0${id}`.replace('\u00a0', '%C2%A0'),
    '*',
    '$count',
  ];
  for (const wrong of wrongIds) {
    await t.test(`invalid_profile_id: ${wrong}`, async () => {
      const target = `/beta${route.replace(id, wrong)}`;
      assert.equal(codeOf(await post(target)), 'invalid_profile_id');
      const stranger = await request(service.url, `POST ${target}`, headers.slice(1), BODY);
      assert.equal(codeOf(stranger), 'missing_token', 'only an authenticated caller is told');
    });
  }
  assert.equal(service.graph.journal.commits.length, length, 'Graph heard of none of them');
  assert.equal(service.graph.journal.requests.length, length);
});

test('another method is 405 with Allow, on a known path alone', async (t) => {
  const service = await startService(t);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const answer = await request(service.url, `${method} ${service.createPath()}`);
    if (answer.status === 400 && answer.body === '') continue;
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers['allow'], 'POST');
    assert.equal(codeOf(answer), 'method_not_allowed');
    assert.equal((await request(service.url, `${method} /nowhere`)).status, 404);
  }
  const head = await request(service.url, `HEAD ${service.createPath()}`);
  assert.equal(head.status, 405);
  assert.equal(head.body, '');
  assert.equal((await sendRaw(service.url, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).length, 0);
});

test('a token in the query or in the body is never read', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const token = authorization.slice('Bearer '.length);
  const inQuery = await request(service.url, `POST ${service.createPath()}?access_token=${token}`, [
    'Content-Length: 0',
  ]);
  assert.equal(codeOf(inQuery), 'missing_token');
  const form = `access_token=${token}`;
  const inBody = await request(
    service.url,
    `POST ${service.createPath()}`,
    ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`],
    form,
  );
  assert.equal(codeOf(inBody), 'missing_token');
  assert.ok(!service.logged().includes(token));
});

test('/healthz answers GET and HEAD, says nothing else, and works while the service drains', async (t) => {
  const service = await startService(t);
  service.setDraining(true);
  const get = await request(service.url, 'GET /healthz?x=1');
  assert.equal(get.status, 200);
  assert.equal(get.body, '{"status":"ok"}');
  const head = await request(service.url, 'HEAD /healthz');
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  const post = await request(service.url, 'POST /healthz', ['Content-Length: 0']);
  assert.equal(post.status, 405);
  assert.equal(post.headers['allow'], 'GET, HEAD');
  const old = parseRaw(await sendRaw(service.url, 'GET /healthz HTTP/1.0\r\n\r\n'));
  assert.equal(old.status, 200);
});
