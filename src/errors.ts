/** Graph's own vocabulary for the outer `error.code` of its envelope. */
type GraphCode =
  | 'BadRequest'
  | 'InvalidAuthenticationToken'
  | 'Forbidden'
  | 'ResourceNotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'PayloadTooLarge'
  | 'UnsupportedMediaType'
  | 'Conflict'
  | 'UnprocessableEntity'
  | 'TooManyRequests'
  | 'InternalServerError'
  | 'BadGateway'
  | 'ServiceUnavailable'
  | 'GatewayTimeout';

type Problem = Readonly<{ status: number; graphCode: GraphCode; title: string }>;

const badRequest = (title: string) => ({ status: 400, graphCode: 'BadRequest', title }) as const;
const unauthorized = (title: string) =>
  ({ status: 401, graphCode: 'InvalidAuthenticationToken', title }) as const;
const forbidden = (title: string) => ({ status: 403, graphCode: 'Forbidden', title }) as const;
const notFound = (title: string) => ({ status: 404, graphCode: 'ResourceNotFound', title }) as const;
const conflict = (title: string) => ({ status: 409, graphCode: 'Conflict', title }) as const;
const internal = (title: string) => ({ status: 500, graphCode: 'InternalServerError', title }) as const;
const badGateway = (title: string) => ({ status: 502, graphCode: 'BadGateway', title }) as const;
const unavailable = (title: string) => ({ status: 503, graphCode: 'ServiceUnavailable', title }) as const;

/**
 * Every error this service can answer with: the inner code, its HTTP status, Graph's outer code, and the
 * sentence used when the place that raised it has nothing more precise to say.
 */
export const PROBLEMS = {
  invalid_profile_id: badRequest('The profile id must be a GUID, optionally prefixed with "AOSP-".'),
  invalid_body: badRequest(
    'The body must be a JSON object with exactly one property, tokenValidityInSeconds.',
  ),
  invalid_validity: badRequest('tokenValidityInSeconds must be an integer within the allowed range.'),
  invalid_query: badRequest('The query holds an option that this route does not accept.'),
  invalid_idempotency_key: badRequest(
    'Idempotency-Key must be 1 to 255 visible ASCII characters, given once.',
  ),
  graph_rejected: badRequest('Microsoft Graph refused the request as invalid.'),

  missing_token: unauthorized('No access token was sent. Send one as "Authorization: Bearer <token>".'),
  invalid_token: unauthorized('The access token is not valid.'),
  token_expired: unauthorized('The access token has expired. Request a new one.'),
  token_not_yet_valid: unauthorized('The access token is not valid yet. Check the clock of the caller.'),
  wrong_audience: unauthorized('The access token was issued for another API.'),
  wrong_issuer: unauthorized('The access token was issued by an authority that is not accepted here.'),
  claims_challenge: unauthorized('Microsoft Entra asks the user to sign in again.'),

  insufficient_scope: forbidden('The token lacks the scope that this operation needs.'),
  app_only_token: forbidden('App-only tokens cannot be used here: a signed-in user is needed.'),
  client_not_allowed: forbidden('The calling application is not allowed.'),
  tenant_not_allowed: forbidden('The tenant of the user is not allowed.'),
  personal_account: forbidden('Personal Microsoft accounts cannot be used here.'),
  consent_required: forbidden('Consent for Microsoft Graph is missing in this tenant.'),
  policy_denied: forbidden('A policy of the tenant denies this user access.'),
  graph_forbidden: forbidden(
    'Microsoft Graph denied the operation. The usual causes: the user lacks an Intune role that may manage enrollment profiles, or the tenant or user lacks an Intune licence.',
  ),

  unknown_route: notFound('There is no such route.'),
  profile_not_found: notFound('Microsoft Graph knows no such enrollment profile.'),

  method_not_allowed: {
    status: 405,
    graphCode: 'MethodNotAllowed',
    title: 'This route does not take this method.',
  },
  not_acceptable: {
    status: 406,
    graphCode: 'NotAcceptable',
    title: 'The Accept header admits no media type that this route can produce.',
  },
  body_too_large: { status: 413, graphCode: 'PayloadTooLarge', title: 'The body is too large.' },
  unsupported_media_type: {
    status: 415,
    graphCode: 'UnsupportedMediaType',
    title: 'The body must be sent as application/json in UTF-8, without a content coding.',
  },

  request_in_progress: conflict('A request with this Idempotency-Key is still under way.'),
  concurrent_creation: conflict(
    'Another token was created on this profile in the meantime; the token read is not the one created here.',
  ),
  graph_conflict: conflict('Microsoft Graph reports a conflict on this profile. Try again later.'),

  idempotency_key_reused: {
    status: 422,
    graphCode: 'UnprocessableEntity',
    title: 'This Idempotency-Key was used before with another request.',
  },
  rate_limited: { status: 429, graphCode: 'TooManyRequests', title: 'Too many requests.' },

  internal_error: internal('Something failed inside this service.'),
  credential_rejected: internal(
    'Microsoft Entra refused the credential of this service. Tell its operators.',
  ),
  outcome_unrecorded: internal(
    'The operation was done, but its audit record could not be written. Do not repeat it; the same Idempotency-Key settles it.',
  ),

  upstream_invalid: badGateway('Microsoft Graph gave an answer that is not the documented one.'),
  upstream_failed: badGateway('Microsoft Graph failed. Nothing was created.'),
  outcome_unknown: badGateway(
    'The answer of Microsoft Graph was lost and the operation may have been done. Ask again with the same Idempotency-Key, or read the profile; do not simply repeat it.',
  ),

  entra_unavailable: unavailable('Microsoft Entra is not available at the moment.'),
  graph_unavailable: unavailable('Microsoft Graph is not available at the moment.'),
  graph_throttled: unavailable('Microsoft Graph throttles requests at the moment.'),
  audit_unavailable: unavailable('The audit journal cannot be written. Nothing was done.'),
  limiter_unavailable: unavailable('The rate limiter is not available. Nothing was done.'),
  idempotency_unavailable: unavailable(
    'Idempotency keys cannot be honoured at the moment. Nothing was done.',
  ),
  shutting_down: unavailable('This instance is shutting down. Nothing was done.'),

  upstream_timeout: {
    status: 504,
    graphCode: 'GatewayTimeout',
    title: 'The time for this request ran out before anything was done.',
  },
} as const satisfies Record<string, Problem>;

export type ProblemCode = keyof typeof PROBLEMS;

export type ProblemOptions = Readonly<{
  cause?: unknown;
  /** Seconds until a repetition makes sense; becomes `Retry-After` (RFC 9110 section 10.2.3). */
  retryAfterSeconds?: number;
  /** The value of `WWW-Authenticate` (RFC 6750 section 3). */
  challenge?: string;
  /** The value of `Allow` (RFC 9110 section 10.2.1). */
  allow?: string;
  /** Refused before anything was asked of Graph: what the limits charged for it is given back. */
  costsNothing?: true;
  /** The limit policies that were exceeded, for the `quota-exceeded` problem type. */
  violatedPolicies?: readonly string[];
}>;

/** A refusal or failure that has a row in {@link PROBLEMS}. Its message is shown to the caller. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, message?: string, options: ProblemOptions = {}) {
    super(
      message ?? PROBLEMS[code].title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.options = options;
  }
}

/** Any thrown value as a {@link ProblemError}: what is none of ours becomes `internal_error`, its text kept as cause only. */
export function toProblem(error: unknown): ProblemError {
  return error instanceof ProblemError
    ? error
    : new ProblemError('internal_error', undefined, { cause: error });
}
