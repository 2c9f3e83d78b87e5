import type { AuditSource, IntentEvent } from '../audit/record.ts';
import type { Profile } from '../graph/profile.ts';
import { toAuditActor } from './audit-actor.ts';
import type { WriteContext } from './write-attempt.ts';

/** One request about one profile, everything about it checked. */
export type ProfileRequest = WriteContext &
  Readonly<{ profile: Profile; source: AuditSource; requestId: string }>;

/** What is put on record before anything is done. */
export function toIntent(
  { caller, profile, source, requestId, clientRequestId }: ProfileRequest,
  action: IntentEvent['action'],
  parameters: IntentEvent['parameters'] = {},
): IntentEvent {
  return {
    kind: 'intent',
    action,
    actor: toAuditActor(caller),
    source,
    resource: { set: profile.set, id: profile.id.canonical },
    parameters,
    requestId,
    clientRequestId,
  };
}
