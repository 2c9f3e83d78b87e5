import type { AuditActor } from '../audit/record.ts';
import type { Caller } from '../caller/caller.ts';

/** The caller as the journal names it: no token. */
export const toAuditActor = ({
  tenantId,
  objectId,
  userPrincipalName,
  clientId,
  tokenId,
  scopes,
}: Caller): AuditActor => ({
  tenantId,
  objectId,
  ...(userPrincipalName !== undefined && { userPrincipalName }),
  clientId,
  ...(tokenId !== undefined && { tokenId }),
  scopes,
});
