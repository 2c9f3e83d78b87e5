/** Where a tenant's things stand, and who issues its tokens. `{tenantid}` stands for any tenant, as Entra writes it. */
export const toV1Issuer = (tenantId: string): string => `https://sts.windows.net/${tenantId}/`;
export const toV2Issuer = (authorityHost: string, tenantId: string): string =>
  `${authorityHost}/${tenantId}/v2.0`;
export const toTokenEndpoint = (authorityHost: string, tenantId: string): string =>
  `${authorityHost}/${tenantId}/oauth2/v2.0/token`;

/** Tenant names that mean several tenants. */
const SHARED = new Set(['common', 'organizations']);

export const toTenantTemplate = (tenant: string): string => (SHARED.has(tenant) ? '{tenantid}' : tenant);
