import type { AuditRecord, IntentEvent } from './record.ts';

/** Follows the creations on each profile, so that of two of them each is known to end where the next began. */
export type NextCreations = Readonly<{
  /** Takes the next intent of a journal; tells the `id` of the creation that it follows on its profile, if one is known. */
  add: (intent: AuditRecord<IntentEvent>) => string | undefined;
  /** When the first creation on each profile was intended, in milliseconds since the epoch. */
  firsts: ReadonlyMap<string, number>;
}>;

/** Bounded by the profiles that occur. */
export function createNextCreations(): NextCreations {
  const firsts = new Map<string, number>();
  const latest = new Map<string, string>();
  return {
    add: (intent) => {
      if (!isCreation(intent)) return undefined;
      const profile = toProfileName(intent);
      if (!firsts.has(profile)) firsts.set(profile, Date.parse(intent.time));
      const before = latest.get(profile);
      latest.set(profile, intent.id);
      return before;
    },
    firsts,
  };
}

export function isCreation({ action }: IntentEvent): boolean {
  return action === 'enrollmentToken.create';
}

/** Names a profile among those of all tenants. */
export function toProfileName({ actor, resource }: IntentEvent): string {
  return `${actor.tenantId}/${resource.set}/${resource.id}`;
}
