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
export function toLimitKeys(subject: LimitSubject): readonly LimitKey[] {
  return toKeys(subject, toCallerKeys(subject.caller));
}

/** The same, for callers that come again as the same object: what follows from the caller alone is made once. */
export function createToLimitKeys(): typeof toLimitKeys {
  const known = new WeakMap<LimitSubject['caller'], CallerKeys>();

  return (subject) => {
    const { caller } = subject;
    const keys = known.get(caller) ?? toCallerKeys(caller);
    known.set(caller, keys);
    return toKeys(subject, keys);
  };
}

/** The keys that follow from the caller alone. */
type CallerKeys = Readonly<Record<'user' | 'client' | 'tenant' | 'write' | 'share' | 'read', LimitKey>>;

function toCallerKeys({ tenantId, objectId, clientId }: LimitSubject['caller']): CallerKeys {
  const tenant = tenantId.toLowerCase();
  const application = `${tenant}:${clientId.toLowerCase()}`;
  return {
    user: { tier: 'user', key: `${tenant}:${objectId.toLowerCase()}` },
    client: { tier: 'client', key: application },
    tenant: { tier: 'tenant', key: tenant },
    write: { tier: 'graph', key: tenant },
    share: { tier: 'graph', key: application, kind: 'share' },
    read: { tier: 'graph', key: tenant, kind: 'read' },
  };
}

function toKeys({ resource, write }: LimitSubject, callerKeys: CallerKeys): readonly LimitKey[] {
  const { user, client, tenant } = callerKeys;
  const keys = [user, client, tenant];
  if (resource !== undefined) keys.push(toProfileKey(tenant.key, resource));
  if (write) keys.push(callerKeys.write, callerKeys.share);
  else keys.push(callerKeys.read);
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
