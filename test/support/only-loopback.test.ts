import assert from 'node:assert/strict';
import dns from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';

await import('./only-loopback.ts');

const FORBIDDEN = { code: 'ERR_TEST_NETWORK' };
const PUBLIC_ADDRESS = '192.0.2.1'; // RFC 5737: documentation only

test('a test cannot connect to a public address', () => {
  assert.throws(() => net.connect(443, PUBLIC_ADDRESS), FORBIDDEN);
  assert.throws(() => net.connect({ port: 443, host: PUBLIC_ADDRESS, lookup: dns.lookup }), FORBIDDEN);
  assert.throws(() => new net.Socket().connect(443, 'example.com'), FORBIDDEN);
});

test('a test cannot resolve a public name', async () => {
  assert.throws(() => dns.lookup('example.com', () => undefined), FORBIDDEN);
  await assert.rejects(async () => lookup('example.com'), FORBIDDEN);
  await assert.rejects(fetch('http://example.com/'), (error) => {
    assert.ok(error instanceof Error && error.cause instanceof Error);
    return error.cause.name === 'NetworkForbiddenError';
  });
});

test('a test can reach loopback, also under a public name through its own lookup', async () => {
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  // Of one family: with two, a connection that takes 250 ms is given up for the other address, where nobody listens.
  await once(net.connect({ port: address.port, host: 'localhost', family: 4 }).resume(), 'end');
  await once(
    net
      .connect({
        port: address.port,
        host: 'login.example.com',
        autoSelectFamily: false,
        lookup: (_name, _options, done) => done(null, '127.0.0.1', 4),
      })
      .resume(),
    'end',
  );
  server.close();
});
