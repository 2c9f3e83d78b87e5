import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTHeaderParameters } from 'jose';
import { withoutJob } from '../../../sandbox/key-pair.ts';
import type { Outbound, OutboundResponse } from '../../../src/outbound.ts';
import type { Logger } from '../../../src/log.ts';

export const AUTHORITY = 'https://entra.test';
export const TENANT = '11111111-1111-4111-8111-111111111111';
export const CLIENT = '22222222-2222-4222-8222-222222222222';
export const FRONT_END = '33333333-3333-4333-8333-333333333333';
export const USER = '44444444-4444-4444-8444-444444444444';
export const AUDIENCES = [CLIENT, `api://${CLIENT}`];
export const V2_ISSUER = `${AUTHORITY}/${TENANT}/v2.0`;
export const V1_ISSUER = `https://sts.windows.net/${TENANT}/`;

export type SigningPair = Readonly<{ kid: string; privateKey: KeyObject; publicKey: KeyObject }>;

export function createPair(kid: string, bits = 2048): SigningPair {
  return { kid, ...withoutJob(generateKeyPairSync('rsa', { modulusLength: bits })) };
}

export function toJwk({ kid, publicKey }: SigningPair): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', x5t: kid };
}

/** Claims of a v2.0 token as Entra mints it for a signed-in user, valid around `now` (milliseconds). */
export function toV2Claims(now = Date.now()): Record<string, unknown> {
  const seconds = Math.floor(now / 1_000);
  return {
    aud: CLIENT,
    iss: V2_ISSUER,
    iat: seconds - 300,
    nbf: seconds - 300,
    exp: seconds + 3_600,
    azp: FRONT_END,
    azpacr: '0',
    name: 'Anna Admin',
    oid: USER,
    preferred_username: 'anna@example.com',
    rh: '0.AAAA',
    scp: 'EnrollmentToken.Create EnrollmentToken.Read',
    sub: 'c3ViamVjdA',
    tid: TENANT,
    uti: 'dXRp',
    ver: '2.0',
  };
}

export function toV1Claims(now = Date.now()): Record<string, unknown> {
  const { azp, azpacr, preferred_username, ...claims } = toV2Claims(now);
  return {
    ...claims,
    iss: V1_ISSUER,
    aud: `api://${CLIENT}`,
    appid: azp,
    appidacr: azpacr,
    upn: preferred_username,
    ver: '1.0',
  };
}

export function sign(
  pair: SigningPair,
  claims: Record<string, unknown>,
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: pair.kid, ...header })
    .sign(pair.privateKey);
}

export function toRawHeaders(token: string): readonly string[] {
  return ['Host', 'bff.test', 'Authorization', `Bearer ${token}`];
}

export const silentLog: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

type Answer = OutboundResponse | Error | Promise<OutboundResponse>;

export function toAnswer(body: unknown, status = 200): OutboundResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** An Entra in this process: what it answers can be changed at any time, and what it was asked is counted. */
export type FakeEntra = {
  metadata: () => Answer;
  jwks: () => Answer;
  readonly calls: string[];
  readonly outbound: Outbound;
};

export function createFakeEntra(keys: readonly SigningPair[], issuer = V2_ISSUER): FakeEntra {
  const entra: FakeEntra = {
    metadata: () =>
      toAnswer({
        issuer,
        jwks_uri: `${AUTHORITY}/${TENANT}/keys`,
        id_token_signing_alg_values_supported: ['RS256', 'HS256'],
      }),
    jwks: () => toAnswer({ keys: keys.map(toJwk) }),
    calls: [],
    outbound: async ({ url }) => {
      entra.calls.push(url);
      const answer = await (url.endsWith('/openid-configuration') ? entra.metadata() : entra.jwks());
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return entra;
}
