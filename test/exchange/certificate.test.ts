import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { decodeJwt, jwtVerify } from 'jose';
import { createCertificateAuthority } from '../../sandbox/certificate-authority.ts';
import { parseCertificate, signClientAssertion } from '../../src/exchange/certificate.ts';
import { NOW } from './support/caller.ts';

const ca = await createCertificateAuthority();
const rsa = await ca.issue(['service'], { keyType: 'rsa' });
const other = await ca.issue(['service'], { keyType: 'rsa' });
const ec = await ca.issue(['service']);

test('key and certificate, in either order, with further certificates behind', () => {
  for (const pem of [rsa.key + rsa.cert, `${rsa.cert}\n${rsa.key}`, rsa.key + rsa.cert + other.cert]) {
    const { thumbprint, expiresAt } = parseCertificate(pem);
    const certificate = new X509Certificate(rsa.cert);
    const hex = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    assert.equal(Buffer.from(thumbprint, 'base64url').toString('hex'), hex);
    assert.equal(expiresAt, Date.parse(certificate.validTo));
  }
});

for (const [name, pem] of [
  ['nothing', ''],
  ['no certificate', rsa.key],
  ['no key', rsa.cert],
  ['half a key', rsa.key.slice(0, 300) + rsa.cert],
  ["another's key", other.key + rsa.cert],
  ['an elliptic key', ec.key + ec.cert],
] as const) {
  test(`refused without a word of it in the error: ${name}`, () => {
    assert.throws(
      () => parseCertificate(pem),
      (error) => {
        const secret = /^(?!-)[A-Za-z0-9+/=]{32,}$/m.exec(pem)?.[0];
        return secret === undefined || !inspect(error).includes(secret);
      },
    );
  });
}

test('the assertion is what RFC 7523 and Entra want, and jose agrees', async () => {
  const certificate = parseCertificate(rsa.key + rsa.cert);
  const asked = { clientId: 'client', tokenEndpoint: 'https://entra/token', now: NOW };
  const assertion = signClientAssertion(certificate, asked);
  const { payload, protectedHeader } = await jwtVerify(assertion, new X509Certificate(rsa.cert).publicKey, {
    algorithms: ['PS256'],
    audience: 'https://entra/token',
    issuer: 'client',
    subject: 'client',
    currentDate: new Date(NOW),
  });
  assert.deepEqual(protectedHeader, { alg: 'PS256', typ: 'JWT', 'x5t#S256': certificate.thumbprint });
  const seconds = Number(payload.exp) - NOW / 1000;
  assert.ok(seconds >= 5 * 60 && seconds <= 10 * 60);
  assert.notEqual(payload.jti, decodeJwt(signClientAssertion(certificate, asked)).jti);
});
