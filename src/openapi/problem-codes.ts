import type { ProblemCode } from '../errors.ts';
import type { Operation } from '../graph/operations.ts';

/** Problems that every operation can end in. */
const EVERYWHERE: readonly ProblemCode[] = [
  'invalid_body',
  'graph_rejected',
  'missing_token',
  'invalid_token',
  'token_expired',
  'token_not_yet_valid',
  'wrong_audience',
  'wrong_issuer',
  'claims_challenge',
  'insufficient_scope',
  'app_only_token',
  'client_not_allowed',
  'tenant_not_allowed',
  'personal_account',
  'consent_required',
  'policy_denied',
  'graph_forbidden',
  'profile_not_found',
  'not_acceptable',
  'graph_conflict',
  'body_too_large',
  'unsupported_media_type',
  'rate_limited',
  'internal_error',
  'credential_rejected',
  'upstream_invalid',
  'upstream_failed',
  'entra_unavailable',
  'graph_unavailable',
  'graph_throttled',
  'limiter_unavailable',
  'shutting_down',
  'upstream_timeout',
];

/** Problems of whatever changes something. */
const WRITING: readonly ProblemCode[] = [
  'invalid_idempotency_key',
  'request_in_progress',
  'outcome_unknown',
  'idempotency_unavailable',
];

/** Problems of createToken alone. */
const CREATING: readonly ProblemCode[] = [
  'invalid_validity',
  'concurrent_creation',
  'idempotency_key_reused',
];

/** Problems of whatever is put on record, a read of a secret as well. */
const AUDITED: readonly ProblemCode[] = ['outcome_unrecorded', 'audit_unavailable'];

/** Problems of requests that reach no operation. */
export const OUTSIDE: readonly ProblemCode[] = ['unknown_route', 'method_not_allowed'];

/** Every problem that an operation can be answered with. */
export const toProblemCodes = ({ name, path, write, query, action }: Operation): readonly ProblemCode[] => [
  ...(path.includes('{id}') ? (['invalid_profile_id'] as const) : []),
  ...(query === undefined ? [] : (['invalid_query'] as const)),
  ...(name === 'createToken' ? CREATING : []),
  ...(write ? WRITING : []),
  ...(action === undefined ? [] : AUDITED),
  ...EVERYWHERE,
];
