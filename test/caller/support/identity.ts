import { parseIdentity } from '../../../src/caller/claims-policy.ts';
import { parseClaims } from '../../../src/caller/claims.ts';
import { claimsText } from './forge.ts';
import { AUDIENCES, AUTHORITY, CLIENT, TENANT, V1_ISSUER, V2_ISSUER } from './tenant.ts';

const POLICY = {
  api: { clientId: CLIENT, audiences: AUDIENCES, authorityHost: AUTHORITY },
  tenantId: TENANT,
  issuers: { '1.0': V1_ISSUER, '2.0': V2_ISSUER },
  keyIssuer: undefined,
  now: Date.now(),
};

/** Whom the claims of a good token name, these changed. */
export const toIdentity = (changes: Readonly<Record<string, unknown>>) =>
  parseIdentity(parseClaims(JSON.parse(claimsText(changes))), POLICY);
