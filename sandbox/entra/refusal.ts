import { randomUUID } from 'node:crypto';
import { toJsonAnswer, type Answer } from '../http/answer.ts';

/** Why Entra refuses a request for a token, as its error body says it. */
export type Refusal = Readonly<{
  /** HTTP status. Default 400. */
  status?: number;
  /** The OAuth error (RFC 6749 section 5.2). */
  error: string;
  /** The AADSTS numbers; the first stands in the description. */
  codes: readonly number[];
  message: string;
  suberror?: string;
  /** Sent as a JSON string. */
  claims?: unknown;
  retryAfterSeconds?: number;
}>;

/** Thrown by the checks of the token endpoint. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Refusals that tests and `POST /sandbox/refusals` put upon a user by name. */
export const REFUSALS = {
  consent_required: {
    error: 'invalid_grant',
    suberror: 'consent_required',
    codes: [65001],
    message: 'The user or administrator has not consented to use the application.',
  },
  interaction_required: {
    error: 'interaction_required',
    codes: [50076],
    message:
      'Due to a configuration change made by your administrator, you must use multi-factor authentication.',
    suberror: 'basic_action',
    claims: {
      access_token: { capolids: { essential: true, values: ['5a17d0c5-0000-4000-8000-0000000000ca'] } },
    },
  },
  interaction_required_without_claims: {
    error: 'interaction_required',
    codes: [50079],
    message: 'The user must enroll for multi-factor authentication.',
  },
  invalid_grant_with_claims: {
    error: 'invalid_grant',
    codes: [50173],
    message: 'The session was revoked.',
    claims: { access_token: { nbf: { essential: true, value: '1764000000' } } },
  },
  not_assigned: {
    error: 'invalid_grant',
    codes: [50105],
    message: 'The signed in user is not assigned to a role for the application.',
  },
  unknown_user: {
    error: 'invalid_grant',
    codes: [50034],
    message: 'The user account does not exist in the directory.',
  },
  guest_denied: {
    error: 'invalid_grant',
    codes: [50020, 90072],
    message: 'User account from identity provider does not exist in tenant.',
  },
  access_denied: { error: 'access_denied', codes: [530034], message: 'Access was denied.' },
  assertion_refused: {
    error: 'invalid_grant',
    codes: [50013],
    message: 'Assertion failed signature validation.',
  },
  invalid_client: {
    status: 401,
    error: 'invalid_client',
    codes: [7000215],
    message: 'Invalid client secret provided.',
  },
  secret_expired: {
    status: 401,
    error: 'invalid_client',
    codes: [7000222],
    message: 'The provided client secret keys are expired.',
  },
  unauthorized_client: {
    error: 'unauthorized_client',
    codes: [700016],
    message: 'Application was not found in the directory.',
  },
  temporarily_unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    codes: [90033],
    message: 'A transient error has occurred. Please try again.',
    retryAfterSeconds: 7,
  },
  throttled: {
    status: 429,
    error: 'temporarily_unavailable',
    codes: [90006],
    message: 'Too many requests.',
    retryAfterSeconds: 11,
  },
  server_error: { status: 500, error: 'server_error', codes: [90099], message: 'An unexpected error.' },
  loop_detected: {
    error: 'invalid_grant',
    codes: [50196],
    message: 'The server terminated an operation because it encountered a client request loop.',
  },
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;

/** Entra's error body. `correlationId` is the `client-request-id` of the request, if it sent one. */
export function toRefusalAnswer(
  refusal: Refusal,
  { now, correlationId }: Readonly<{ now: number; correlationId: string }>,
): Answer {
  const { status = 400, error, codes, message, suberror, claims, retryAfterSeconds } = refusal;
  const traceId = randomUUID();
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const body = {
    error,
    error_description: `AADSTS${codes[0] ?? 0}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: codes,
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${codes[0] ?? 0}`,
    ...(suberror !== undefined && { suberror }),
    ...(claims !== undefined && { claims: JSON.stringify(claims) }),
  };
  return toJsonAnswer(status, body, {
    'cache-control': 'no-store, no-cache',
    'x-ms-request-id': traceId,
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  });
}
