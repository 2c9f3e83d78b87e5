import type { AuditActor } from '../audit/record.ts';
import type { Caller } from '../caller/caller.ts';
import type { Mutable } from '../mutable.ts';

/** The caller as the journal names it: no token. */
export function toAuditActor(caller: Caller): AuditActor {
  const { tenantId, objectId, userPrincipalName, clientId, tokenId, scopes } = caller;
  const actor: Mutable<AuditActor> = { tenantId, objectId, clientId, scopes };
  if (userPrincipalName !== undefined) actor.userPrincipalName = userPrincipalName;
  if (tokenId !== undefined) actor.tokenId = tokenId;
  return actor;
}
