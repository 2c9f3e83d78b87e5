import { z } from 'zod';
import { isV2Issuer } from './issuers.ts';

const schema = z.object({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https$/ }),
  cloud_instance_name: z.string().optional(),
});

/** What is used of a tenant's OpenID provider metadata (OpenID Connect Discovery 1.0 section 3). */
export type OpenIdMetadata = Readonly<{
  issuer: string;
  jwksUri: string;
  cloudInstanceName: string | undefined;
}>;

/** @throws {Error} when it is not the metadata of this tenant; the message quotes nothing. */
export function parseOpenIdMetadata(
  value: unknown,
  tenant: Readonly<{ authorityHost: string; tenantId: string }>,
): OpenIdMetadata {
  const { data } = schema.safeParse(value);
  if (data === undefined) throw new Error('the metadata lacks an issuer or an https address of keys');
  if (!isV2Issuer(data.issuer, tenant.authorityHost, tenant.tenantId)) {
    throw new Error('the metadata names the issuer of another tenant or cloud');
  }
  return { issuer: data.issuer, jwksUri: data.jwks_uri, cloudInstanceName: data.cloud_instance_name };
}
