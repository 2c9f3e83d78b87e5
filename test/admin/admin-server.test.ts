import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import type { AdminParts } from '../../src/admin/admin-listener.ts';

async function start(parts: Partial<AdminParts> = {}): Promise<Readonly<{ baseUrl: string; port: number }>> {
  const server = createAdminServer({
    isReady: () => [],
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'a_metric 1\n' },
    ...parts,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { baseUrl: `http://127.0.0.1:${address.port}`, port: address.port };
}

test('livez and readyz answer 200 while all is well', async () => {
  const { baseUrl } = await start();
  for (const path of ['/livez', '/readyz', '/readyz?verbose']) {
    const response = await fetch(`${baseUrl}${path}`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), { status: 'ok' });
  }
});

test('readyz names what is not ready, and livez stays 200', async () => {
  const { baseUrl } = await start({ isReady: () => ['entra_keys', 'audit'] });
  const response = await fetch(`${baseUrl}/readyz`);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { status: 'unavailable', notReady: ['entra_keys', 'audit'] });
  assert.equal((await fetch(`${baseUrl}/livez`)).status, 200);
});

test('metrics come in their own media type', async () => {
  const { baseUrl } = await start();
  const response = await fetch(`${baseUrl}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  assert.equal(await response.text(), 'a_metric 1\n');
});

test('HEAD answers as GET does, without the body', async () => {
  const { baseUrl } = await start();
  const response = await fetch(`${baseUrl}/metrics`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-length'), '11');
  assert.equal(await response.text(), '');
});

test('nothing else is served: no token route, no other method', async () => {
  const { baseUrl } = await start();
  for (const path of [
    '/',
    '/healthz',
    '/livez/',
    '/__proto__',
    '/constructor',
    '/beta/deviceManagement/androidForWorkEnrollmentProfiles',
  ]) {
    assert.equal((await fetch(`${baseUrl}${path}`)).status, 404, path);
  }
  const response = await fetch(`${baseUrl}/livez`, { method: 'POST', body: 'x' });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'GET, HEAD');
});

test('a part that throws is a 500 that says nothing, not a hang', async () => {
  const { baseUrl } = await start({
    isReady: () => {
      throw new Error('canary');
    },
    metrics: { contentType: 'text/plain', text: async () => Promise.reject(new Error('canary')) },
  });
  for (const path of ['/readyz', '/metrics']) {
    const response = await fetch(`${baseUrl}${path}`);
    assert.equal(response.status, 500);
    assert.deepEqual(await response.json(), { status: 'failed' });
  }
});

test('a request without Host and one with too many headers are refused', async () => {
  const { port } = await start();
  for (const [head, status] of [
    ['GET /livez HTTP/1.1\r\n\r\n', '400'],
    [`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`, '431'],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    socket.end(head);
    assert.match(await text(socket), new RegExp(`^HTTP/1.1 ${status} `));
  }
});
