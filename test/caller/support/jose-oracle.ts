import { createLocalJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { readSigningKey } from '../../../src/caller/signing-key.ts';
import { AUDIENCES, TENANT, V1_ISSUER, V2_ISSUER } from './tenant.ts';

/** Whether `jose`, which shares no code with the service, accepts the token under the policy of the service. */
export function createJoseOracle(
  jwks: readonly Record<string, unknown>[],
): (token: string) => Promise<boolean> {
  // What may be a key is no question of token verification; of two keys of one name the first is taken.
  const usable = jwks.filter(
    (jwk, at) =>
      readSigningKey(jwk, { tenantId: TENANT, cloudInstanceName: 'entra.test' }) !== undefined &&
      jwks.findIndex(({ kid }) => kid === jwk['kid']) === at,
  );
  const keys = createLocalJWKSet({ keys: usable.map((jwk) => ({ ...jwk, kty: 'RSA' })) });

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        typ: 'JWT',
        issuer: [V1_ISSUER, V2_ISSUER],
        audience: AUDIENCES,
        clockTolerance: 60,
        requiredClaims: ['exp', 'oid', 'scp', 'ver'],
      });
      return isWithinPolicy(payload);
    } catch {
      return false;
    }
  };
}

function isWithinPolicy({ iss, ver, tid, scp, azp, appid, idtyp }: JWTPayload): boolean {
  const isVersionFit = ver === (iss === V2_ISSUER ? '2.0' : '1.0');
  const client = ver === '1.0' ? appid : azp;
  const isUser = idtyp === undefined || idtyp === 'user';
  const isTenantFit = typeof tid === 'string' && tid.toLowerCase() === TENANT;
  return (
    isVersionFit &&
    isTenantFit &&
    isUser &&
    typeof scp === 'string' &&
    scp.trim() !== '' &&
    typeof client === 'string'
  );
}
