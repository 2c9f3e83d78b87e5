import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** RSA keys shorter than 2048 bit are broken; longer ones than 8192 bit cost time and are not Entra's. */
const MIN_BITS = 2048;
const MAX_BITS = 8192;
/** F4. Smaller exponents weaken RSA, and 1 makes every signature hold. */
const MIN_EXPONENT = 65_537n;

/** A JWK (RFC 7517, RFC 7518 section 6.3) that may have signed an access token. */
const schema = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1),
  use: z.literal('sig').optional(),
  alg: z.literal('RS256').optional(),
  // Not z.array: that describes each wrong element, and there may be as many as fit into an answer of Entra's.
  key_ops: z
    .custom<readonly string[]>(
      (value) =>
        Array.isArray(value) && value.includes('verify') && value.every((each) => typeof each === 'string'),
    )
    .optional(),
  n: z.string(),
  e: z.string(),
  /** A key whose private part is published is nobody's key any more. */
  d: z.undefined().optional(),
  issuer: z.string().optional(),
  cloud_instance_name: z.string().optional(),
});

/** A public RSA key of at least 2048 bit, for RS256. */
export type SigningKey = Readonly<{
  kid: string;
  key: KeyObject;
  /** The issuer that the key is restricted to, `{tenantid}` replaced. Microsoft's own extension of JWK. */
  issuer?: string;
}>;

/** The key that a member of a JWKS holds, `undefined` if it is not one that may be used here. */
export function readSigningKey(
  jwk: unknown,
  tenant: Readonly<{ tenantId: string; cloudInstanceName: string | undefined }>,
): SigningKey | undefined {
  const { data } = schema.safeParse(jwk);
  if (data === undefined || !isSameCloud(data.cloud_instance_name, tenant.cloudInstanceName))
    return undefined;
  const key = readPublicKey(data.n, data.e);
  if (key === undefined) return undefined;
  const issuer = data.issuer?.replaceAll('{tenantid}', tenant.tenantId);
  return { kid: data.kid, key, ...(issuer === undefined ? {} : { issuer }) };
}

/** As Microsoft's IdentityModel does: compared only where both the key and the metadata name a cloud. */
function isSameCloud(ofKey: string | undefined, ofMetadata: string | undefined): boolean {
  return ofKey === undefined || ofMetadata === undefined || ofKey === ofMetadata;
}

function readPublicKey(n: string, e: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
    const isFit = modulusLength >= MIN_BITS && modulusLength <= MAX_BITS && publicExponent >= MIN_EXPONENT;
    return isFit ? key : undefined;
  } catch {
    return undefined;
  }
}
