import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import {
  createOutbound,
  OutboundError,
  type OutboundOptions,
  type OutboundRequest,
} from '../src/outbound.ts';
import { startTlsScript, toAnswer, type TlsScript } from './support/tls-script.ts';
import { waitUntil } from './support/wait-until.ts';

const CANARY = 'canary-6f1f0c1e';

function start(
  t: TestContext,
  script: Pick<TlsScript, 'caPem'> | undefined,
  options?: Partial<OutboundOptions>,
) {
  const outbound = createOutbound({ timeoutMs: 20_000, ...(script && { ca: script.caPem }), ...options });
  t.after(outbound.close);
  return outbound.send;
}

const toPost = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: 'POST',
  url: `${url}/path?query`,
  headers: { authorization: `Bearer ${CANARY}`, 'content-type': 'application/json' },
  body: JSON.stringify({ secret: CANARY }),
  ...more,
});

async function requireFailure(sending: Promise<unknown>): Promise<OutboundError> {
  const error: unknown = await sending.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OutboundError, inspect(error));
  const shown = inspect(error, { depth: Infinity, showHidden: true });
  assert.doesNotMatch(shown, new RegExp(CANARY), 'an error shows what was sent');
  assert.doesNotMatch(shown, /127\.0\.0\.1|authorization/i, 'an error names the upstream');
  return error;
}

const reset = (socket: TLSSocket): void => {
  const below: unknown = Reflect.get(socket, '_parent');
  assert.ok(below instanceof Object && 'resetAndDestroy' in below);
  assert.ok(typeof below.resetAndDestroy === 'function');
  below.resetAndDestroy();
};

test('an answer: status, joined headers, text; every status is one', async (t) => {
  const script = await startTlsScript(t, (socket) =>
    socket.write(toAnswer('418 Teapot', '{"ok":"é"}', 'X-Two: a\r\nx-two: b\r\n')),
  );
  const answer = await start(t, script)(toPost(script.url));
  assert.equal(answer.status, 418);
  assert.equal(answer.headers['x-two'], 'a, b');
  assert.equal(answer.body, '{"ok":"é"}');
});

test('nothing is sent but what was asked for: no cookie, no coding, no form type without a body', async (t) => {
  const script = await startTlsScript(t, (socket) =>
    socket.write(toAnswer('200 OK', '{}', 'set-cookie: session=1\r\n')),
  );
  const send = start(t, script);
  await send(toPost(script.url));
  await send({ method: 'POST', url: script.url });
  const [first = '', second = ''] = script.requests;
  assert.match(first, /^POST \/path\?query HTTP\/1\.1\r\n/);
  assert.match(first, /accept-encoding: identity\r\n/i);
  assert.doesNotMatch(second, /cookie|content-type|authorization/i);
  assert.match(second, /content-length: 0\r\n/i);
});

test('connections are kept', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const send = start(t, script);
  for (let sent = 0; sent < 20; sent += 1) await send(toPost(script.url));
  assert.ok(script.connections() <= 2, `${script.connections()} connections`);
});

test('a redirect is an answer, and the token does not follow it', async (t) => {
  const script = await startTlsScript(t, (socket) =>
    socket.write(toAnswer('307 Temporary Redirect', '', 'location: /elsewhere\r\n')),
  );
  const answer = await start(t, script)(toPost(script.url));
  assert.equal(answer.status, 307);
  assert.equal(script.requests.length, 1);
});

test('not sent: nobody listens', async (t) => {
  // No port that was free a moment ago: another process may have it by now.
  const error = await requireFailure(start(t, undefined)(toPost('https://127.0.0.1:1')));
  assert.deepEqual([error.kind, error.reason], ['not_sent', 'unreachable']);
});

test('not sent: the name does not resolve', async (t) => {
  const error = await requireFailure(start(t, undefined)(toPost('https://nothing.invalid')));
  assert.deepEqual([error.kind, error.reason], ['not_sent', 'unreachable']);
});

test('not sent: the certificate is of an unknown authority', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const error = await requireFailure(start(t, undefined)(toPost(script.url)));
  assert.deepEqual([error.kind, error.reason], ['not_sent', 'tls']);
  assert.equal(script.requests.length, 0);
});

test('not sent: the certificate is for another name', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const send = start(t, script);
  const error = await requireFailure(send(toPost(script.url.replace('127.0.0.1', 'other.localhost'))));
  assert.equal(error.kind, 'not_sent');
  assert.equal(script.requests.length, 0);
});

test('not sent: the server accepts and never shakes hands', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  server.on('connection', (socket) => t.after(() => socket.destroy()));
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const send = start(t, undefined, { timeoutMs: 100 });
  const error = await requireFailure(send(toPost(`https://127.0.0.1:${address.port}`)));
  assert.deepEqual([error.kind, error.reason], ['not_sent', 'timeout']);
});

test('not sent: the time is over while all connections are busy, and nothing leaves later', async (t) => {
  const script = await startTlsScript(t, (socket, _request, index) => {
    if (index > 0) socket.write(toAnswer('200 OK'));
  });
  const send = start(t, script, { maxSockets: 1 });
  const controller = new AbortController();
  const busy = requireFailure(send(toPost(script.url, { signal: controller.signal })));
  await waitUntil(() => script.requests.length === 1);
  const waiting = await requireFailure(send(toPost(script.url, { timeoutMs: 100 })));
  assert.deepEqual([waiting.kind, waiting.reason], ['not_sent', 'timeout']);
  controller.abort();
  assert.equal((await busy).kind, 'lost');
  assert.equal((await send({ method: 'GET', url: `${script.url}/third` })).status, 200);
  assert.equal(script.requests.length, 2);
  assert.match(script.requests[1] ?? '', /^GET \/third/);
});

test('not sent: given up before it began', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const error = await requireFailure(start(t, script)(toPost(script.url, { signal: AbortSignal.abort() })));
  assert.deepEqual([error.kind, error.reason], ['not_sent', 'aborted']);
  assert.equal(script.requests.length, 0);
});

test('sent over a new connection: the idle one was closed by the server', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const send = start(t, script);
  await send(toPost(script.url));
  const before = script.connections();
  await script.endConnections();
  assert.equal((await send(toPost(script.url))).status, 200);
  assert.equal(script.connections(), before + 1);
});

const LOST: readonly (readonly [string, OutboundError['reason'], (socket: TLSSocket) => void])[] = [
  ['reset without an answer', 'reset', reset],
  ['closed without an answer', 'reset', (socket) => socket.end()],
  ['cut within the head', 'reset', (socket) => socket.end('HTTP/1.1 204 No Con')],
  [
    'cut within the body',
    'reset',
    (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half'),
  ],
  ['no HTTP at all', 'invalid_response', (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
  [
    'a head without end',
    'too_large',
    (socket) => socket.end(`HTTP/1.1 204 No Content\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`),
  ],
  ['100 that nobody asked for', 'informational', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
  [
    '101',
    'informational',
    (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  ],
];

for (const [name, reason, answer] of LOST) {
  test(`lost: ${name}`, async (t) => {
    const script = await startTlsScript(t, answer);
    const error = await requireFailure(start(t, script)(toPost(script.url)));
    assert.deepEqual([error.kind, error.reason], ['lost', reason]);
    assert.equal(script.requests.length, 1, 'it was sent once, and not again by a library');
  });
}

/** Over a connection that stands: made within the time, it might take it all on a busy machine, and nothing be sent. */
async function loseInTime(t: TestContext, answer: (socket: TLSSocket) => void): Promise<void> {
  const script = await startTlsScript(t, (socket, _request, index) =>
    index === 0 ? socket.write(toAnswer('200 OK')) : answer(socket),
  );
  const send = start(t, script, { maxSockets: 1 });
  await send(toPost(script.url));
  const error = await requireFailure(send(toPost(script.url, { timeoutMs: 300 })));
  assert.deepEqual([error.kind, error.reason], ['lost', 'timeout']);
  await waitUntil(() => script.requests.length > 1);
  assert.equal(script.requests.length, 2, 'it was sent once, and not again by a library');
}

test('lost: no answer in time', (t) => loseInTime(t, () => undefined));

test('lost: reset on a reused connection, which the pool does not repeat by itself', async (t) => {
  const script = await startTlsScript(t, (socket, _request, index) =>
    index === 0 ? socket.write(toAnswer('200 OK')) : reset(socket),
  );
  const send = start(t, script);
  await send(toPost(script.url));
  const error = await requireFailure(send(toPost(script.url)));
  assert.deepEqual([error.kind, error.reason], ['lost', 'reset']);
  assert.equal(script.requests.length, 2);
});

test('lost: dripping slower than the time-out, which covers the whole call', (t) =>
  loseInTime(t, (socket) => {
    const bytes = Buffer.from(toAnswer('200 OK'));
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, (at += 1))), 20);
    socket.once('close', () => clearInterval(timer));
  }));

test('lost: the deadline of the request ends it', async (t) => {
  const controller = new AbortController();
  const script = await startTlsScript(t, () => controller.abort());
  const error = await requireFailure(start(t, script)(toPost(script.url, { signal: controller.signal })));
  assert.deepEqual([error.kind, error.reason], ['lost', 'aborted']);
});

test('an answer that came is not turned into an abort by a signal a moment later', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.write(toAnswer('200 OK')));
  const controller = new AbortController();
  const sending = start(t, script)(toPost(script.url, { signal: controller.signal }));
  const answer = await sending;
  controller.abort();
  assert.equal(answer.status, 200);
});

test('103 before the answer means nothing', async (t) => {
  const script = await startTlsScript(t, (socket) =>
    socket.write(`HTTP/1.1 103 Early Hints\r\nset-cookie: a=b\r\n\r\n${toAnswer('200 OK')}`),
  );
  const { status, headers } = await start(t, script)(toPost(script.url));
  assert.equal(status, 200);
  assert.equal(headers['set-cookie'], undefined);
});

test('a body without a length ends with the connection', async (t) => {
  const script = await startTlsScript(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{"ok":true}'));
  assert.equal((await start(t, script)(toPost(script.url))).body, '{"ok":true}');
});

test('of a body larger than accepted only the status is kept', async (t) => {
  const script = await startTlsScript(t, (socket) =>
    socket.write(toAnswer('403 Forbidden', 'x'.repeat(300 * 1024))),
  );
  const { status, body } = await start(t, script)(toPost(script.url));
  assert.deepEqual([status, body], [403, '']);
});

test('a compressed body is not unpacked', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const script = await startTlsScript(t, (socket) => {
    socket.write(`HTTP/1.1 500 Oh\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.write(bomb);
  });
  const before = process.memoryUsage().rss;
  const { status, body } = await start(t, script)(toPost(script.url));
  assert.deepEqual([status, body], [500, '']);
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});
