import type { Secret } from '../secret.ts';

/** Who is calling: the verified claims of one Entra access token. The user is identified by `tenantId` + `objectId` only. */
export type Caller = Readonly<{
  /** `tid` */
  tenantId: string;
  /** `oid` */
  objectId: string;
  /** The calling application: `azp` (v2.0) or `appid` (v1.0). */
  clientId: string;
  /** `upn` or `preferred_username`; for people to read, never an identity. */
  userPrincipalName?: string;
  /** `uti`, identifies the token in logs. */
  tokenId?: string;
  /** `scp`, split. May be empty: then no operation admits the caller. */
  scopes: readonly string[];
  /** `exp`, in milliseconds since the epoch. */
  expiresAt: number;
  /** The token itself, to be exchanged on-behalf-of. */
  assertion: Secret;
}>;

/**
 * From the raw headers of a request (`IncomingMessage.rawHeaders`: names and values in turn) to a verified caller.
 * Throws a ProblemError: 401 (with a challenge), 403, or 503 `entra_unavailable`.
 */
export type Authenticate = (rawHeaders: readonly string[]) => Promise<Caller>;
