import { LRUCache } from 'lru-cache';
import { toScopes, type Claims } from './claims.ts';

/** Applications of a tenant, and the sets of scopes that they ask for. */
const MAX_SHARED = 256;

const clientIds = new LRUCache<string, string>({ max: MAX_SHARED });
const scopeLists = new LRUCache<string, readonly string[]>({ max: MAX_SHARED });

/** The same string for all who come through one application: what is kept of many users would hold one for each. */
export function shareClientId(clientId: string): string {
  const known = clientIds.get(clientId);
  if (known !== undefined) return known;
  clientIds.set(clientId, clientId);
  return clientId;
}

/** The scopes of verified claims, one list for all who have the same. */
export function shareScopes(claims: Claims): readonly string[] {
  const { scp = '' } = claims;
  const known = scopeLists.get(scp);
  if (known !== undefined) return known;
  const scopes = Object.freeze(toScopes(claims));
  scopeLists.set(scp, scopes);
  return scopes;
}
