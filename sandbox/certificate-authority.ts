// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 wants this polyfill loaded before it
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** What a TLS server or a signer needs: PKCS#8 private key and certificate, both PEM. */
export type KeyAndCertificate = Readonly<{ key: string; cert: string }>;

export type IssueOptions = Readonly<{
  /** `rsa` (2048 bit) for certificates that sign client assertions with PS256; `ec` (P-256) is made faster. */
  keyType?: 'ec' | 'rsa';
  /** Milliseconds since the epoch. Default: 30 days from now. */
  notAfter?: number;
}>;

export type CertificateAuthority = Readonly<{
  /** The certificate to trust, for `NODE_EXTRA_CA_CERTS`, `curl --cacert` or the `ca` option of a TLS client. */
  caPem: string;
  /** A new key and a certificate for these DNS names and IP addresses. */
  issue: (names?: readonly string[], options?: IssueOptions) => Promise<KeyAndCertificate>;
}>;

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: Uint8Array.of(1, 0, 1),
  modulusLength: 2048,
} as const;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];
const DAY = 24 * 60 * 60_000;
/** Clocks of containers and their hosts may differ by a little. */
const BACKDATED = 60 * 60_000;

const isAddress = (name: string): boolean => name.includes(':') || /^\d+(?:\.\d+){3}$/.test(name);

const toPem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

/** A certificate authority that lives as long as this object; nothing of it is ever written to disk. */
export async function createCertificateAuthority(
  now: () => number = Date.now,
): Promise<CertificateAuthority> {
  const name = 'CN=Enrollment token sandbox CA';
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: new Date(now() - BACKDATED),
    notAfter: new Date(now() + 30 * DAY),
    signingAlgorithm: EC,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  return {
    caPem: root.toString('pem'),
    issue: async (names = LOOPBACK_NAMES, { keyType = 'ec', notAfter = now() + 30 * DAY } = {}) => {
      const usages = ['sign', 'verify'] as const;
      const own =
        keyType === 'ec'
          ? await webcrypto.subtle.generateKey(EC, true, usages)
          : await webcrypto.subtle.generateKey(RSA, true, usages);
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${names[0] ?? 'sandbox'}`,
        issuer: name,
        notBefore: new Date(now() - BACKDATED),
        notAfter: new Date(notAfter),
        signingAlgorithm: EC,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value })),
          ),
          await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return { key: toPem(own.privateKey), cert: certificate.toString('pem') };
    },
  };
}
