/** Origins of the authorities of Microsoft's public clouds, each with the origin that v1.0 tokens name as issuer. */
const V1_ISSUER_ORIGINS: ReadonlyMap<string, string> = new Map([
  ['https://login.microsoftonline.com', 'https://sts.windows.net'],
  ['https://login.microsoftonline.us', 'https://sts.windows.net'],
  ['https://login.partner.microsoftonline.cn', 'https://sts.chinacloudapi.cn'],
]);

/** `iss` of the v1.0 tokens of a tenant. A custom cloud is taken to name itself as the global one does. */
export function toV1Issuer(authorityHost: string, tenantId: string): string {
  return `${V1_ISSUER_ORIGINS.get(authorityHost) ?? 'https://sts.windows.net'}/${tenantId}/`;
}

/**
 * Whether metadata of this authority may name this issuer for the tenant: https, the path of v2.0, and in the public
 * clouds the origin of the authority itself. A custom cloud may call itself what it likes.
 */
export function isV2Issuer(issuer: string, authorityHost: string, tenantId: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const url = new URL(issuer);
  return (
    url.protocol === 'https:' &&
    `${url.origin}${url.pathname}` === issuer &&
    url.pathname.toLowerCase() === `/${tenantId}/v2.0` &&
    (url.origin === authorityHost || !V1_ISSUER_ORIGINS.has(authorityHost))
  );
}

/** `iss` of the tokens of a tenant, by their version (`ver`). */
export type Issuers = Readonly<{ '1.0': string; '2.0': string }>;

/** @param v2Issuer as the metadata of the tenant says */
export function toIssuers(authorityHost: string, tenantId: string, v2Issuer: string): Issuers {
  return { '1.0': toV1Issuer(authorityHost, tenantId), '2.0': v2Issuer };
}
