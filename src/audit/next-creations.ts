import type { AuditRecord, IntentEvent } from './record.ts';

/** Follows the creations on each profile, so that of two of them each is known to end where the next began. */
export type NextCreations = Readonly<{
  /** Takes the next intent of a journal; tells the `id` of the creation that it follows on its profile, if one is known. */
  add: (intent: AuditRecord<IntentEvent>) => string | undefined;
  /** By profile: when the first creation was intended, in milliseconds since the epoch, and the `id` of the last one. */
  firsts: ReadonlyMap<string, number>;
  lasts: ReadonlyMap<string, string>;
}>;

/** Bounded by the profiles that occur. */
export function createNextCreations(): NextCreations {
  const firsts = new Map<string, number>();
  const lasts = new Map<string, string>();
  return {
    add: (intent) => {
      if (intent.action !== 'enrollmentToken.create') return undefined;
      const profile = toProfileName(intent);
      if (!firsts.has(profile)) firsts.set(profile, Date.parse(intent.time));
      const before = lasts.get(profile);
      lasts.set(profile, intent.id);
      return before;
    },
    firsts,
    lasts,
  };
}

/** Names a profile among those of all tenants, as `toProfileKey` of the operations does. */
export function toProfileName({ actor, resource }: IntentEvent): string {
  return `${actor.tenantId}/${resource.set}/${resource.id}`;
}
