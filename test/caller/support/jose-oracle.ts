import { createLocalJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { AUDIENCES, FRONT_END, TENANT, V1_ISSUER, V2_ISSUER } from './tenant.ts';

export type JoseOracleOptions = Readonly<{
  /** The keys as the tenant publishes them. */
  jwks: readonly Record<string, unknown>[];
  /** Names of keys that `jose` has no opinion on, and that must not be used; written by hand. */
  unusable?: readonly string[];
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

/** Whether `jose`, and no code of the service, accepts the token under the policy of the service for createToken. */
export function createJoseOracle({
  jwks,
  unusable = [],
  now = Date.now,
}: JoseOracleOptions): (token: string) => Promise<boolean> {
  // Of two keys of one name jose takes neither, this service the first.
  const usable = jwks.filter(
    ({ kid }, at) =>
      !unusable.includes(String(kid)) && jwks.findIndex((other) => other['kid'] === kid) === at,
  );
  const keys = createLocalJWKSet({ keys: usable.map((jwk) => ({ ...jwk, kty: String(jwk['kty']) })) });

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        typ: 'JWT',
        issuer: [V1_ISSUER, V2_ISSUER],
        audience: AUDIENCES,
        clockTolerance: 60,
        currentDate: new Date(now()),
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
  const isClientFit = typeof client === 'string' && client.toLowerCase() === FRONT_END;
  const mayCreate = typeof scp === 'string' && scp.split(' ').includes('EnrollmentToken.Create');
  return isVersionFit && isTenantFit && isUser && isClientFit && mayCreate;
}
