import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { get, Server as HttpsServer } from 'node:https';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import express, { type Express } from 'express';
import { createTlsReader, createTlsReload } from '../../src/http/reload-tls.ts';
import { createPublicServer, HARDENING } from '../../src/http/server.ts';
import { createLogger } from '../../src/log.ts';
import { createCertificateAuthority } from '../../sandbox/certificate-authority.ts';
import { startService } from '../support/service.ts';
import { codeOf, parseRaw, request, sendRaw, type RawAnswer } from './raw-http.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') {
      server.closeAllConnections();
    }
  });
  return Object(server.address()).port;
}

/** An app that tells whether Express found anything to change, and uses what Express adds. */
function createProbe(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((request, response) => {
    const found = {
      requestPrototype: Object.getPrototypeOf(request) === app.request,
      responsePrototype: Object.getPrototypeOf(response) === app.response,
      accepts: request.accepts(['json']),
      path: request.path,
      get: request.get('x-probe'),
      app: request.app === app && response.app === app,
    };
    response.set('x-set', 'yes').vary('Origin').status(200).json(found);
  });
  return app;
}

const EXPECTED = {
  requestPrototype: true,
  responsePrototype: true,
  accepts: 'json',
  path: '/a',
  get: 'yes',
  app: true,
};

/** Counts changes of prototypes of requests and responses while `run` runs. */
async function countPrototypeChanges(run: () => Promise<void>): Promise<number> {
  const original = Object.setPrototypeOf;
  let changes = 0;
  Object.setPrototypeOf = (object: object, prototype: object | null) => {
    if (Object.getPrototypeOf(object) !== prototype) changes += 1;
    return original(object, prototype);
  };
  try {
    await run();
  } finally {
    Object.setPrototypeOf = original;
  }
  return changes;
}

test('a request has Express’s prototype before Express sees it, so that nothing is changed on it', async (t) => {
  const port = await listen(t, createPublicServer(createProbe()));
  const changes = await countPrototypeChanges(async () => {
    const answer = await request(`http://127.0.0.1:${port}`, 'GET /a?b', ['X-Probe: yes']);
    assert.deepEqual(JSON.parse(answer.body), EXPECTED);
    assert.equal(answer.headers['x-set'], 'yes');
  });
  assert.equal(changes, 0);
});

test('the same over HTTPS, with a certificate that is replaced while it runs', async (t) => {
  const ca = await createCertificateAuthority();
  const directory = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(directory, { recursive: true }));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  let time = 0;
  const write = async (path: string, text: string) => {
    await writeFile(path, text);
    await utimes(path, (time += 1), time);
  };
  const [first, second] = [await ca.issue(), await ca.issue()];
  await write(certFile, first.cert);
  await write(keyFile, first.key);

  let failures = 0;
  const read = createTlsReader({ certFile, keyFile }, () => (failures += 1));
  const server = createPublicServer(createProbe(), { tls: await read() });
  assert.ok(server instanceof HttpsServer);
  const port = await listen(t, server);
  const logged: string[] = [];
  const reload = createTlsReload(
    server,
    read,
    createLogger({ level: 'info', write: (line) => logged.push(line) }),
  );

  const ask = () =>
    new Promise<readonly [string, string]>((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path: '/a',
        ca: ca.caPem,
        agent: false as const,
        headers: { 'x-probe': 'yes' },
      };
      get(options, (response) => {
        assert.ok(response.socket instanceof TLSSocket);
        const { serialNumber } = response.socket.getPeerCertificate();
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve([serialNumber, body]));
      }).on('error', reject);
    });

  const [firstSerial, body] = await ask();
  assert.deepEqual(JSON.parse(body), EXPECTED);
  await reload();
  assert.equal((await ask())[0], firstSerial);

  await write(certFile, second.cert);
  await reload();
  assert.equal((await ask())[0], firstSerial, 'a certificate without its key is not used');
  assert.match(logged.join(''), /do not fit/);

  await write(keyFile, second.key);
  await reload();
  assert.notEqual((await ask())[0], firstSerial);
  assert.match(logged.join(''), /was replaced/);

  await rm(certFile);
  await reload();
  assert.notEqual((await ask())[0], firstSerial, 'files that are gone change nothing');
  assert.equal(failures, 1);

  const old = connectTls({
    port,
    host: '127.0.0.1',
    ca: ca.caPem,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1.1',
  });
  await assert.rejects(once(old, 'secureConnect'), 'TLS 1.1 is refused');
});

/** What contract 5 wants of every answer, also of one that no step of the app has seen. */
function assertBare({ headers, body }: RawAnswer): void {
  assert.match(headers['request-id'] ?? '', /^[0-9a-f-]{36}$/);
  assert.match(headers['client-request-id'] ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['connection'], 'close');
  assert.equal(body, '');
}

const line = (service: Readonly<{ createPath: () => string }>) => `POST ${service.createPath()} HTTP/1.1\r\n`;

test('what RFC 9112 forbids is refused below the API, and the connection ends', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const good = `Authorization: ${authorization}\r\nContent-Type: application/json\r\n`;
  const body = '{"tokenValidityInSeconds":60}';
  const length = `Content-Length: ${body.length}\r\n`;
  const chunked = `1d\r\n${body}\r\n0\r\n\r\n`;
  const many = 'a:b\r\n'.repeat(2500);
  for (const [name, head, rest, status] of [
    ['two Host', `Host: a\r\nHost: b\r\n${good}${length}`, body, 400],
    ['two equal Host', `Host: a\r\nhost: a\r\n${good}${length}`, body, 400],
    ['a second Host behind 2500 headers', `Host: a\r\n${many}Host: b\r\n`, '', 400],
    ['no Host', `${good}${length}`, body, 400],
    ['an unknown transfer coding', `Host: a\r\n${good}Transfer-Encoding: x\r\n`, '', 400],
    ['gzip, chunked', `Host: a\r\n${good}Transfer-Encoding: gzip, chunked\r\n`, chunked, 400],
    [
      'chunked twice',
      `Host: a\r\n${good}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`,
      chunked,
      400,
    ],
    ['length and chunked', `Host: a\r\n${good}${length}Transfer-Encoding: chunked\r\n`, chunked, 400],
    ['two lengths', `Host: a\r\n${good}${length}Content-Length: 3\r\n`, body, 400],
    ['a signed length', `Host: a\r\n${good}Content-Length: +29\r\n`, body, 400],
    ['a space before the colon', `Host: a\r\n${good}${length}X : y\r\n`, body, 400],
    ['a folded header', `Host: a\r\n${good}${length}X: y\r\n z\r\n`, body, 400],
    ['NUL in a header', `Host: a\r\n${good}${length}X: \0\r\n`, body, 400],
    ['a bare line feed', `Host: a\nX: y\r\n${good}${length}`, body, 400],
    ['a header section of 33 KiB', `Host: a\r\nX: ${'x'.repeat(33 * 1024)}\r\n`, '', 431],
    ['an expectation nobody meets', `Host: a\r\n${good}${length}Expect: x\r\n`, body, 417],
    ['such an expectation without Host', `${good}${length}Expect: x\r\n`, body, 400],
    ['a chunk that is none', `Host: a\r\n${good}Transfer-Encoding: chunked\r\n`, 'zz\r\n', 400],
    [
      'a chunk of extensions',
      `Host: a\r\n${good}Transfer-Encoding: chunked\r\n`,
      `1d;${'x'.repeat(17 * 1024)}`,
      413,
    ],
  ] as const) {
    await t.test(name, async () => {
      const answer = parseRaw(await sendRaw(service.url, `${line(service)}${head}\r\n${rest}`));
      assert.equal(answer.status, status, JSON.stringify(answer));
      assertBare(answer);
    });
  }
  assert.equal(service.graph.journal.requests.length, 0);

  const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
  for (const [header, isEchoed] of [
    [`client-request-id: ${id}`, true],
    ['client-request-id: x', false],
    [`client-request-id: ${id}\r\nclient-request-id: ${id}`, false],
  ] as const) {
    const answer = parseRaw(await sendRaw(service.url, `${line(service)}${header}\r\n\r\n`));
    assert.equal(answer.status, 400);
    assertBare(answer);
    assert.equal(answer.headers['client-request-id'] === id, isEchoed, header);
  }
});

test('HTTP/1.0 needs no Host', async (t) => {
  const service = await startService(t);
  assert.equal(parseRaw(await sendRaw(service.url, 'GET /healthz HTTP/1.0\r\n\r\n')).status, 200);
});

test('over HTTPS too a request that cannot be read is told so; a handshake that fails is not', async (t) => {
  const ca = await createCertificateAuthority();
  const { cert, key } = await ca.issue();
  const port = await listen(t, createPublicServer(createProbe(), { tls: { cert, key } }));
  const socket = connectTls({ port, host: '127.0.0.1', ca: ca.caPem });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost : a\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  const answer = parseRaw(text);
  assert.equal(answer.status, 400);
  assertBare(answer);
  assert.doesNotMatch(await sendRaw(`http://127.0.0.1:${port}`, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /HTTP/);
});

test('what follows a request that is under way, and cannot be read, is not answered in its place', async (t) => {
  const app = express();
  const closed: string[] = [];
  app.use((request, response) => {
    response.once('close', () => closed.push(request.path));
    if (request.path === '/begun') response.write('begun');
  });
  const port = await listen(t, createPublicServer(app));
  const origin = `http://127.0.0.1:${port}`;
  const broken = 'GET / HTTP/1.1\r\nHost : a\r\n\r\n';
  assert.equal(await sendRaw(origin, `POST /waiting HTTP/1.1\r\nHost: a\r\n\r\n${broken}`), '');

  const socket = connect(port, '127.0.0.1');
  let begun = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (begun += chunk));
  socket.once('data', () => socket.write(broken)).on('error', () => undefined);
  socket.write('GET /begun HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  assert.deepEqual(begun.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200']);
  assert.deepEqual(closed, ['/waiting', '/begun']);
});

test('two Authorization headers are a 401, also behind 2500 others', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  for (const between of ['', 'a:b\r\n'.repeat(2500)]) {
    const head = `Host: a\r\nAuthorization: ${authorization}\r\n${between}authorization: ${authorization}\r\nConnection: close\r\n`;
    const answer = parseRaw(await sendRaw(service.url, `${line(service)}${head}\r\n`));
    assert.equal(answer.status, 401);
    assert.equal(codeOf(answer), 'invalid_token');
  }
});

test('pipelined requests are answered in order', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const body = '{"tokenValidityInSeconds":60}';
  const create = `${line(service)}Host: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const text = await sendRaw(
    service.url,
    `${create}GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 204', 'HTTP/1.1 200', 'HTTP/1.1 404']);
});

test('Expect: 100-continue is met, an Upgrade is passed over', async (t) => {
  const service = await startService(t);
  const { authorization } = await service.bearer();
  const body = '{"tokenValidityInSeconds":60}';
  const head = `Host: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const continued = await sendRaw(
    service.url,
    `${line(service)}${head}Expect: 100-continue\r\nConnection: close\r\n\r\n${body}`,
  );
  assert.deepEqual(continued.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 100', 'HTTP/1.1 204']);
  for (const protocol of ['websocket', 'h2c']) {
    const upgrade = `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;
    assert.equal(parseRaw(await sendRaw(service.url, upgrade)).status, 200);
  }
});

test('who sends its header or its body too slowly is cut off', async (t) => {
  const app = express();
  app.use((request, response) => {
    response.setHeader('request-id', 'of-the-app');
    request.resume().on('end', () => response.end());
  });
  for (const [start, headersTimeout, id] of [
    ['GET / HTTP/1.1\r\nHost: a\r\nX: ', 200, /^[0-9a-f-]{36}$/],
    // Its header comes in time also where it is held up.
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n1', 1500, /^of-the-app$/],
  ] as const) {
    const slow = { headersTimeout, requestTimeout: 1500, connectionsCheckingInterval: 20 };
    const port = await listen(t, createPublicServer(app, { hardening: { ...HARDENING, ...slow } }));
    const socket = connect(port, '127.0.0.1');
    const drip = setInterval(() => socket.write('1'), 50);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    // What is dripped into a connection that the server has closed is answered by a reset: an error before the end.
    socket.on('error', () => undefined).write(start);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    const { status, headers } = parseRaw(text);
    assert.equal(status, 408);
    assert.match(headers['request-id'] ?? '', id, 'as the log knows it');
    assert.match(headers['client-request-id'] ?? '', id);
    assert.equal(headers['cache-control'], 'no-store');
  }
  assert.ok(HARDENING.headersTimeout <= 10_000 && HARDENING.requestTimeout <= 15_000);
});
