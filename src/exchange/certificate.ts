import {
  createHash,
  createPrivateKey,
  constants,
  randomUUID,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';

export type Certificate = Readonly<{
  key: KeyObject;
  /** SHA-256 of the certificate's DER, base64url: the `x5t#S256` of RFC 7515 section 4.1.8. */
  thumbprint: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}>;

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

/** A PEM file with a private RSA key and, as its first certificate, the one that belongs to it. Throws what is wrong with it. */
export function parseCertificate(pem: string): Certificate {
  const block = CERTIFICATE_BLOCK.exec(pem)?.[0];
  if (block === undefined) throw new Error('the file holds no certificate');
  const certificate = new X509Certificate(block);
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'rsa') throw new Error('the key is not an RSA key');
  if (!certificate.checkPrivateKey(key)) throw new Error('the key does not belong to the certificate');
  return {
    key,
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    expiresAt: Date.parse(certificate.validTo),
  };
}

const toSegment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Seconds that a client assertion is good for. */
const ASSERTION_LIFETIME = 5 * 60;

/** A client assertion as Entra wants it (RFC 7523, PS256, `x5t#S256`): good for one call to `tokenEndpoint`. */
export function signClientAssertion(
  { key, thumbprint }: Certificate,
  { clientId, tokenEndpoint, now }: Readonly<{ clientId: string; tokenEndpoint: string; now: number }>,
): string {
  const issuedAt = Math.floor(now / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint };
  const claims = {
    aud: tokenEndpoint,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: issuedAt,
    iat: issuedAt,
    exp: issuedAt + ASSERTION_LIFETIME,
  };
  const signed = `${toSegment(header)}.${toSegment(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${signed}.${signature.toString('base64url')}`;
}
