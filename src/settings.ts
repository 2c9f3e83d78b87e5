import type { RateLimits } from './limits/tier.ts';
import type { Secret } from './secret.ts';

// Type first; the parser follows.
export type CredentialSource =
  | Readonly<{ kind: 'secret'; secret: Secret }>
  | Readonly<{ kind: 'secretFile'; path: string }>
  | Readonly<{ kind: 'certificate'; path: string }>
  | Readonly<{ kind: 'federatedToken'; path: string }>;

export type Settings = Readonly<{
  listen: Readonly<{ host: string; port: number }>;
  admin: Readonly<{ host: string; port: number }>;
  tenantId: string;
  clientId: string;
  credential: CredentialSource;
  /** Origins without a trailing slash. */
  authorityHost: string;
  graphBaseUrl: string;
  audiences: readonly string[];
  allowedTenantIds: readonly string[];
  allowedClientIds: readonly string[] | '*';
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
  maxTokenValiditySeconds: number;
  rateLimits: RateLimits;
  redisUrl?: Secret;
  replicas: number;
  limiterOnFailure: 'closed' | 'open';
  limiterDegradedMaxSeconds: number;
  audit: Readonly<{
    directory: string;
    fingerprint: boolean;
    hmacKey?: Secret;
    pii: 'full' | 'pseudonymous';
    stdout: boolean;
  }>;
  upstreamTimeoutMs: number;
  requestDeadlineMs: number;
  shutdownGraceMs: number;
  logLevel: 'error' | 'warn' | 'info' | 'debug';
  publicBaseUrl?: string;
  tls?: Readonly<{ certFile: string; keyFile: string }>;
  proxy: Readonly<{ httpsProxy?: Secret; noProxy: readonly string[] }>;
  enableCae: boolean;
  enableDocs: boolean;
}>;
