import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Outbound } from '../outbound.ts';
import { toIssuers } from './issuers.ts';
import { parseOpenIdMetadata } from './openid-metadata.ts';
import { readSigningKey, type SigningKey } from './signing-key.ts';

/** The longest that one of the two calls may take: together they stay well within the deadline of a request that waits. */
const MAX_TIMEOUT_MS = 5_000;

const jwks = z.object({ keys: z.array(z.unknown()).max(100) });

/** The keys that a tenant signs with, and the issuer it signs as. */
export type KeySet = Readonly<{
  /** `iss` of the v2.0 tokens, as the metadata says. */
  issuer: string;
  keys: ReadonlyMap<string, SigningKey>;
  /** Equal for sets of equal content. */
  fingerprint: string;
}>;

/** Whose keys are fetched, and where. */
export type KeyLocation = Readonly<{
  /** Origin, without a trailing slash. */
  authorityHost: string;
  tenantId: string;
  /** Milliseconds for one call; more than 5 s are never taken. */
  timeoutMs?: number;
}>;

/**
 * Fetches a tenant's metadata, then its keys.
 * @throws {Error} for any answer but a good one, OutboundError for none. An empty set is no good one.
 */
export async function loadKeySet(outbound: Outbound, location: KeyLocation): Promise<KeySet> {
  const { authorityHost, tenantId, timeoutMs = MAX_TIMEOUT_MS } = location;
  const fetchJson = createFetchJson(outbound, Math.min(timeoutMs, MAX_TIMEOUT_MS));
  const metadataUrl = `${authorityHost}/${tenantId}/v2.0/.well-known/openid-configuration`;
  const metadata = parseOpenIdMetadata(await fetchJson(metadataUrl, 'metadata'), location);
  const { data } = jwks.safeParse(await fetchJson(metadata.jwksUri, 'keys'));
  if (data === undefined) throw new Error('the keys are no JWK set');

  const issuers = Object.values(toIssuers(authorityHost, tenantId, metadata.issuer));
  const isOurs = (key: SigningKey | undefined): boolean =>
    key !== undefined && (key.issuer === undefined || issuers.includes(key.issuer));
  const keys = new Map<string, SigningKey>();
  for (const jwk of data.keys) {
    const key = readSigningKey(jwk, { tenantId, cloudInstanceName: metadata.cloudInstanceName });
    // Of one name the first counts, unless only another one is of an issuer of this tenant.
    const before = key && keys.get(key.kid);
    if (key && (before === undefined || (isOurs(key) && !isOurs(before)))) keys.set(key.kid, key);
  }
  if (![...keys.values()].some(isOurs)) throw new Error('the key set holds no usable key');
  return { issuer: metadata.issuer, keys, fingerprint: toFingerprint(metadata.issuer, keys) };
}

function createFetchJson(outbound: Outbound, timeoutMs: number) {
  return async function fetchJson(url: string, what: string): Promise<unknown> {
    const headers = { accept: 'application/json' };
    const { status, body } = await outbound({ method: 'GET', url, headers, timeoutMs });
    if (status !== 200) throw new Error(`the ${what} were answered with status ${status}`);
    try {
      const value: unknown = JSON.parse(body);
      return value;
    } catch {
      throw new Error(`the ${what} are not JSON`);
    }
  };
}

function toFingerprint(issuer: string, keys: ReadonlyMap<string, SigningKey>): string {
  const lines = [...keys.values()].map(({ kid, key, issuer }) =>
    JSON.stringify([kid, issuer, key.export({ format: 'jwk' })]),
  );
  return createHash('sha256')
    .update(JSON.stringify([issuer, ...lines.toSorted()]))
    .digest('base64url');
}
