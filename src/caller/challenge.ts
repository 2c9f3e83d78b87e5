import type { Api } from './api.ts';

export type Challenge = Readonly<{
  /** The tenant to sign in to. */
  tenantId: string;
  /** Absent when no token came (RFC 6750 section 3.1). */
  error?: 'invalid_token' | 'insufficient_scope';
  description?: string;
  /** The scope to ask for. */
  scope?: string;
}>;

/**
 * The value of `WWW-Authenticate` (RFC 6750 section 3), with the two parameters by which Microsoft's APIs tell a client
 * where to get a token.
 */
export function toChallenge(
  { authorityHost, clientId }: Pick<Api, 'authorityHost' | 'clientId'>,
  { tenantId, error, description, scope }: Challenge,
): string {
  const parameters = {
    realm: '',
    authorization_uri: `${authorityHost}/${tenantId}/oauth2/v2.0/authorize`,
    client_id: clientId,
    error,
    error_description: description,
    scope,
  };
  return `Bearer ${Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${toQuotable(value)}"`]))
    .join(', ')}`;
}

/**
 * The characters RFC 6750 section 3 admits: neither quote nor backslash, hence nothing to escape, and no line break that
 * could begin another header.
 */
function toQuotable(value: string): string {
  return value.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}
