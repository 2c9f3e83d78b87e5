import type { LimitKey } from './tier.ts';

/** Whose quota a request draws on. The identities are verified claims, never anything else the caller sent. */
export type LimitSubject = Readonly<{
  caller: Readonly<{ tenantId: string; objectId: string; clientId: string }>;
  /** The profile the request names; absent for a list. */
  resource?: Readonly<{ set: string; id: string }>;
  /** Whether Graph counts it as a write: createToken and revokeToken. */
  write: boolean;
}>;

/**
 * The keys of every tier but the address, for one decision. A calling application is counted per tenant, so that one
 * tenant's use of a shared application does not shut out another's. A profile has one key however its id is spelt:
 * `AOSP-` and the case of the GUID do not make a second quota.
 */
export function toLimitKeys({ caller, resource, write }: LimitSubject): readonly LimitKey[] {
  const tenant = caller.tenantId.toLowerCase();
  const application = `${tenant}:${caller.clientId.toLowerCase()}`;
  const keys: LimitKey[] = [
    { tier: 'user', key: `${tenant}:${caller.objectId.toLowerCase()}` },
    { tier: 'client', key: application },
    { tier: 'tenant', key: tenant },
  ];
  if (resource !== undefined) keys.push(toProfileKey(tenant, resource));
  if (write) keys.push({ tier: 'graph', key: tenant }, { tier: 'graph', key: application, kind: 'share' });
  else keys.push({ tier: 'graph', key: tenant, kind: 'read' });
  return keys;
}

/** Whether these keys ask for a create or a revoke: they draw on Graph's budget for writes. */
export function asksToWrite(keys: readonly LimitKey[]): boolean {
  return keys.some(({ tier, kind }) => tier === 'graph' && kind === undefined);
}

/** Who asks for a write at Graph, if these keys do. */
export function readWriter(
  keys: readonly LimitKey[],
): Readonly<{ tenant: string; application: string }> | undefined {
  let tenant: string | undefined;
  for (const { tier, kind, key } of keys) {
    if (tier !== 'graph') continue;
    if (kind === undefined) tenant = key;
    else if (kind === 'share' && tenant !== undefined) return { tenant, application: key };
  }
  return undefined;
}

function toProfileKey(tenant: string, { set, id }: Readonly<{ set: string; id: string }>): LimitKey {
  const guid = id.toLowerCase().replace(/^aosp-/, '');
  return { tier: 'profile', key: `${tenant}:${set.toLowerCase()}:${guid}` };
}
