import { createHash, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { CertificateAuthority } from '../certificate-authority.ts';
import { CLIENT_ID } from '../directory.ts';
import { generateSigningKey, type SigningKey } from './signing-keys.ts';

/** A credential by which the service's app registration proves itself. */
export type RegisteredCertificate = Readonly<{
  publicKey: KeyObject;
  /** base64url SHA-256 of the DER (`x5t#S256`, RFC 7515 section 4.1.8). */
  thumbprint: string;
}>;

/** Whose federated tokens are accepted, as an AKS workload identity names it. */
export const FEDERATION = {
  issuer: 'https://oidc.sandbox.example/cluster/',
  subject: 'system:serviceaccount:enrollment:enrollment-token-bff',
  audience: 'api://AzureADTokenExchange',
} as const;

export type ClientRegistration = Readonly<{
  clientId: string;
  /** The values of `aud` that mean this application. */
  audiences: readonly string[];
  secrets: Set<string>;
  certificates: readonly RegisteredCertificate[];
  /** The cluster's key; `undefined` until a federated token was first issued. */
  clusterKey: () => SigningKey | undefined;
  /** A new secret; the older ones stay valid until deleted from `secrets`. */
  addSecret: () => string;
  /** A new certificate with its RSA key, as one PEM file. */
  addCertificate: (options?: Readonly<{ notAfter?: number }>) => Promise<string>;
  /** A token as Kubernetes projects it into the file that `AZURE_FEDERATED_TOKEN_FILE` names. */
  issueFederatedToken: (claims?: Readonly<Record<string, unknown>>) => Promise<string>;
}>;

export function createClientRegistration(
  ca: CertificateAuthority,
  { now, canary }: Readonly<{ now: () => number; canary: string }>,
): ClientRegistration {
  const secrets = new Set<string>();
  const certificates: RegisteredCertificate[] = [];
  let clusterKey: SigningKey | undefined;

  return {
    clientId: CLIENT_ID,
    audiences: [CLIENT_ID, `api://${CLIENT_ID}`],
    secrets,
    certificates,
    clusterKey: () => clusterKey,
    addSecret: () => {
      const secret = `${canary}${randomBytes(30).toString('base64url')}`;
      secrets.add(secret);
      return secret;
    },
    addCertificate: async (options = {}) => {
      const { key, cert } = await ca.issue(['enrollment-token-bff'], { keyType: 'rsa', ...options });
      const { publicKey, raw } = new X509Certificate(cert);
      certificates.push({ publicKey, thumbprint: createHash('sha256').update(raw).digest('base64url') });
      return `${key}${cert}\n`;
    },
    issueFederatedToken: async (claims = {}) => {
      clusterKey ??= await generateSigningKey();
      const issuedAt = Math.floor(now() / 1000);
      const payload = {
        iss: FEDERATION.issuer,
        sub: FEDERATION.subject,
        aud: [FEDERATION.audience],
        iat: issuedAt,
        nbf: issuedAt,
        exp: issuedAt + 60 * 60,
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid: clusterKey.kid })
        .sign(clusterKey.privateKey);
    },
  };
}
