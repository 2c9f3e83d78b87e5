import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Agent, fetch } from 'undici';
import { createCertificateAuthority } from '../../sandbox/certificate-authority.ts';
import { startServer } from '../../sandbox/http/server.ts';
import { sendRequest } from './send-request.ts';

test('issues certificates for loopback that node:https and undici accept, and only with its own CA', async (t) => {
  const ca = await createCertificateAuthority();
  const server = await startServer({ ca, port: 0, handle: async (_, response) => void response.end('ok') });
  t.after(() => server.close());
  for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost')]) {
    assert.equal((await sendRequest(url, { ca: ca.caPem })).body, 'ok');
    const dispatcher = new Agent({ connect: { ca: ca.caPem } });
    assert.equal(await (await fetch(url, { dispatcher })).text(), 'ok');
    await dispatcher.destroy();
  }
  const other = await createCertificateAuthority();
  await assert.rejects(sendRequest(server.url, { ca: other.caPem }), {
    code: /UNABLE_TO_VERIFY|SIGNATURE_FAILURE|BAD_SIGNATURE|SELF_SIGNED/i,
  });
});

test('a leaf names localhost and both loopback addresses, belongs to its key and ends when asked', async () => {
  const ca = await createCertificateAuthority();
  const root = new X509Certificate(ca.caPem);
  const notAfter = Date.parse('2031-01-01T00:00:00Z');
  const { key, cert } = await ca.issue(undefined, { keyType: 'rsa', notAfter });
  const leaf = new X509Certificate(cert);
  assert.equal(leaf.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  assert.ok(leaf.checkPrivateKey(createPrivateKey(key)));
  assert.equal(createPrivateKey(key).asymmetricKeyType, 'rsa');
  assert.equal(Date.parse(leaf.validTo), notAfter);
  assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey));
  assert.deepEqual([root.ca, leaf.ca], [true, false]);
});
