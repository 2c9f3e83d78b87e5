import type { AppendAudit, AuditSource, IntentEvent } from '../audit/record.ts';
import type { Profile } from '../graph/profile.ts';
import { toAuditActor } from './audit-actor.ts';
import { withAudit } from './audited.ts';
import type { CreateToken } from './create-token.ts';
import type { Idempotent } from './idempotent.ts';
import type { RevokeToken } from './revoke-token.ts';
import type { WriteContext } from './send-write.ts';
import type { SettleCreation } from './settle-creation.ts';

/** One request that changes something, everything about it checked. */
export type WriteRequest = WriteContext &
  Readonly<{
    profile: Profile;
    source: AuditSource;
    requestId: string;
    /** As the caller sent it. */
    idempotencyKey?: string;
  }>;

/** The operations behind the routes: each resolves when it was done and is on record, and rejects with a ProblemError. */
export type Enrollment = Readonly<{
  create: (request: WriteRequest, validitySeconds: number) => Promise<void>;
  revoke: (request: WriteRequest) => Promise<void>;
}>;

type EnrollmentOptions = Readonly<{
  append: AppendAudit;
  createToken: CreateToken;
  revokeToken: RevokeToken;
  settleCreation: SettleCreation;
  idempotent: Idempotent;
}>;

function toIntent(
  request: WriteRequest,
  action: IntentEvent['action'],
  parameters: IntentEvent['parameters'],
): IntentEvent {
  const { caller, profile, source, requestId, clientRequestId } = request;
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

export function createEnrollment({
  append,
  createToken,
  revokeToken,
  settleCreation,
  idempotent,
}: EnrollmentOptions): Enrollment {
  return {
    create: (request, validitySeconds) =>
      idempotent(
        request,
        toIntent(request, 'enrollmentToken.create', { tokenValidityInSeconds: validitySeconds }),
        (event) => withAudit(append, event, () => createToken(request.profile, validitySeconds, request)),
        (window) => settleCreation({ profile: request.profile, validitySeconds, window }, request),
      ),
    revoke: (request) =>
      idempotent(request, toIntent(request, 'enrollmentToken.revoke', {}), (event) =>
        withAudit(append, event, () => revokeToken(request.profile, request)),
      ),
  };
}
