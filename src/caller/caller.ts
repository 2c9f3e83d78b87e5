import { Secret } from '../secret.ts';

/** The verified claims of one Entra access token. The user is identified by `tenantId` + `objectId` only. */
export type Identity = Readonly<{
  /** `tid` */
  tenantId: string;
  /** `oid` */
  objectId: string;
  /** The calling application: `azp` (v2.0) or `appid` (v1.0). */
  clientId: string;
  /** `upn` or `preferred_username`; for people to read, never an identity. */
  userPrincipalName?: string | undefined;
  /** `uti`, identifies the token in logs. */
  tokenId?: string | undefined;
  /** `scp`, split. May be empty: then no operation admits the caller. */
  scopes: readonly string[];
  /** `exp`, in milliseconds since the epoch. */
  expiresAt: number;
}>;

/** Who is calling, in one request. */
export type Caller = Identity &
  Readonly<{
    /** The token itself, to be exchanged on-behalf-of. Each request brings it along: nothing keeps it for the next. */
    assertion: Secret;
    /** Its SHA-256, which stands for it wherever something is kept. */
    assertionHash: string;
  }>;

/** Member by member, because a spread takes ten times as long and every request comes here. */
export const toCaller = (identity: Identity, assertion: string, assertionHash: string): Caller => ({
  tenantId: identity.tenantId,
  objectId: identity.objectId,
  clientId: identity.clientId,
  userPrincipalName: identity.userPrincipalName,
  tokenId: identity.tokenId,
  scopes: identity.scopes,
  expiresAt: identity.expiresAt,
  assertion: new Secret(assertion),
  assertionHash,
});

/**
 * From the raw headers of a request (`IncomingMessage.rawHeaders`: names and values in turn) to a verified caller.
 * Throws a ProblemError: 401 (with a challenge), 403, or 503 `entra_unavailable`.
 */
export type Authenticate = (rawHeaders: readonly string[]) => Promise<Caller>;
