import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { CALLING_CLIENT_ID, CLIENT_ID, OPERATOR, TENANT_ID, type User } from '../directory.ts';
import { toV1Issuer, toV2Issuer } from './authority.ts';
import type { TokenVersion } from './metadata.ts';
import type { SigningKey } from './signing-keys.ts';

export type TokenRequest = Readonly<{
  user?: User;
  /** Default `2.0`. */
  version?: TokenVersion;
  tenantId?: string;
  /** The calling application: `azp` or `appid`. */
  clientId?: string;
  /** `aud`. Default: the service's client id in a v2.0 token, its App ID URI in a v1.0 token. */
  audience?: string;
  /** `scp`, separated by spaces. */
  scope?: string;
  /** An app-only token: `roles` instead of `scp`, and no person's claims. */
  roles?: readonly string[];
  lifetimeSeconds?: number;
  /** Added last; `undefined` takes a claim away. */
  claims?: Readonly<Record<string, unknown>>;
  /** The same for the header. */
  header?: Readonly<Record<string, unknown>>;
  /** Signs with another key than the current one. */
  key?: SigningKey;
}>;

export type IssueToken = (request?: TokenRequest) => Promise<string>;

export type IssuerOptions = Readonly<{
  authorityHost: string;
  currentKey: () => SigningKey;
  now: () => number;
}>;

/** Entra's clock is ahead of nobody's: tokens are valid from five minutes before their issue. */
const BACKDATED_SECONDS = 5 * 60;
/** Entra's access tokens last 60 to 90 minutes. */
const LIFETIME_SECONDS = 75 * 60;

const withoutUndefined = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Signs access tokens as Entra shapes them, RS256. Nothing is checked: tests ask for wrong ones too. */
export const createTokenIssuer =
  ({ authorityHost, currentKey, now }: IssuerOptions): IssueToken =>
  async (request = {}) => {
    const { key = currentKey(), version = '2.0', lifetimeSeconds = LIFETIME_SECONDS } = request;
    const issuedAt = Math.floor(now() / 1000) - BACKDATED_SECONDS;
    const times = { iat: issuedAt, nbf: issuedAt, exp: issuedAt + BACKDATED_SECONDS + lifetimeSeconds };
    const shape = version === '2.0' ? toV2Claims(request, authorityHost) : toV1Claims(request);
    const header = {
      typ: 'JWT',
      alg: 'RS256',
      ...(version === '1.0' && { x5t: key.kid }),
      kid: key.kid,
      ...request.header,
    };
    return new SignJWT(
      withoutUndefined({ ...times, ...toCommonClaims(request), ...shape, ...request.claims }),
    )
      .setProtectedHeader({ alg: 'RS256', ...withoutUndefined(header) })
      .sign(key.privateKey);
  };

const toRandom = (bytes: number): string => randomBytes(bytes).toString('base64url');

function toCommonClaims({ user = OPERATOR, tenantId = TENANT_ID, scope, roles }: TokenRequest) {
  return {
    aio: toRandom(48),
    oid: user.objectId,
    rh: `1.${toRandom(30)}.`,
    sub: roles ? user.objectId : Buffer.from(`pairwise ${user.objectId}`).toString('base64url').slice(0, 43),
    tid: tenantId,
    uti: toRandom(16),
    ...(roles ? { roles, idtyp: 'app' } : { name: user.name, scp: scope ?? 'EnrollmentToken.Create' }),
  };
}

function toV2Claims(request: TokenRequest, authorityHost: string) {
  const { user = OPERATOR, tenantId = TENANT_ID, clientId = CALLING_CLIENT_ID, roles } = request;
  return {
    aud: request.audience ?? CLIENT_ID,
    iss: toV2Issuer(authorityHost, tenantId),
    azp: clientId,
    azpacr: '1',
    ver: '2.0',
    ...(roles === undefined && { preferred_username: user.userPrincipalName }),
  };
}

function toV1Claims({
  user = OPERATOR,
  tenantId = TENANT_ID,
  clientId = CALLING_CLIENT_ID,
  audience,
  roles,
}: TokenRequest) {
  return {
    aud: audience ?? `api://${CLIENT_ID}`,
    iss: toV1Issuer(tenantId),
    appid: clientId,
    appidacr: '1',
    ver: '1.0',
    ...(roles === undefined && {
      acr: '1',
      amr: ['pwd', 'mfa'],
      ipaddr: '198.51.100.7',
      unique_name: user.userPrincipalName,
      upn: user.userPrincipalName,
    }),
  };
}
