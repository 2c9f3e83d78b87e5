import type { AppendAudit } from '../audit/record.ts';
import type { ListQuery } from '../graph/list-query.ts';
import type { ProfilePage } from '../graph/profile-page.ts';
import type { ProfileSet } from '../graph/profile.ts';
import type { PublicProfile } from '../graph/public-profile.ts';
import { withAudit } from './audited.ts';
import type { CreateAndRead } from './create-and-read.ts';
import type { HoldToken } from './hold-token.ts';
import type { Idempotent } from './idempotent.ts';
import { toIntent, type ProfileRequest } from './intent.ts';
import type { ReadProfiles } from './read-profiles.ts';
import type { ReadableToken, ReadToken } from './read-token.ts';
import type { RevokeToken } from './revoke-token.ts';
import type { WriteContext } from './write-attempt.ts';

/** One request that changes something, everything about it checked. */
export type OperationRequest = ProfileRequest &
  Readonly<{
    /** As the caller sent it. */
    idempotencyKey?: string;
  }>;

/** `wantsToken`: the caller prefers the token to an empty answer. */
export type CreateRequest = OperationRequest & Readonly<{ wantsToken?: boolean }>;

/** The operations behind the routes: each resolves when it was done and is on record, and rejects with a ProblemError. */
export type Enrollment = Readonly<{
  /** `undefined` unless the token was wanted and could be read. */
  create: (request: CreateRequest, validitySeconds: number) => Promise<ReadableToken | undefined>;
  revoke: (request: OperationRequest) => Promise<void>;
  list: (set: ProfileSet, query: ListQuery, context: WriteContext) => Promise<ProfilePage>;
  get: (request: ProfileRequest) => Promise<PublicProfile>;
  /** The current token of the profile. */
  read: (request: ProfileRequest) => Promise<ReadableToken>;
}>;

type EnrollmentOptions = Readonly<{
  append: AppendAudit;
  createAndRead: CreateAndRead;
  revokeToken: RevokeToken;
  readProfiles: ReadProfiles;
  readToken: ReadToken;
  holdToken: HoldToken;
  idempotent: Idempotent;
}>;

export function createEnrollment({
  append,
  createAndRead,
  revokeToken,
  readProfiles,
  readToken,
  holdToken,
  idempotent,
}: EnrollmentOptions): Enrollment {
  return {
    create: createAndRead,
    revoke: async (request) => {
      await idempotent(request, toIntent(request, 'enrollmentToken.revoke'), (event) =>
        withAudit(append, event, () => revokeToken(request.profile, request)),
      );
    },
    list: readProfiles.list,
    get: (request) => readProfiles.get(request.profile, request),
    read: async (request) => {
      const held = await holdToken(request, () => readToken(request.profile, request));
      return held.release();
    },
  };
}
