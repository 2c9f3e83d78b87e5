import type { ToClaimsChallenge } from './entra-error.ts';

/**
 * The challenge Microsoft documents for claims (RFC 6750 section 3 with Entra's members). The claims were parsed and written
 * anew, then base64, so nothing of an upstream's text stands in the header as it came.
 */
export const createClaimsChallenge =
  ({ authorityHost, clientId }: Readonly<{ authorityHost: string; clientId: string }>): ToClaimsChallenge =>
  (tenantId, claims) =>
    [
      'Bearer realm=""',
      `authorization_uri="${authorityHost}/${tenantId}/oauth2/v2.0/authorize"`,
      `client_id="${clientId}"`,
      'error="insufficient_claims"',
      ...(claims === undefined ? [] : [`claims="${Buffer.from(claims).toString('base64')}"`]),
    ].join(', ');
