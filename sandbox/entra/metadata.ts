import { toTenantTemplate, toTokenEndpoint, toV1Issuer, toV2Issuer } from './authority.ts';

export type TokenVersion = '1.0' | '2.0';

/** The OpenID provider metadata of a tenant (OpenID Connect Discovery 1.0, section 3), as Entra fills it. */
export function toMetadata(authorityHost: string, tenant: string, version: TokenVersion) {
  const template = toTenantTemplate(tenant);
  const isV2 = version === '2.0';
  const base = `${authorityHost}/${tenant}`;
  return {
    issuer: isV2 ? toV2Issuer(authorityHost, template) : toV1Issuer(template),
    authorization_endpoint: `${base}/oauth2${isV2 ? '/v2.0' : ''}/authorize`,
    token_endpoint: isV2 ? toTokenEndpoint(authorityHost, tenant) : `${base}/oauth2/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery${isV2 ? '/v2.0' : ''}/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    tenant_region_scope: 'EU',
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
  };
}
