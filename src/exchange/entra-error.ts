import { ProblemError } from '../errors.ts';
import type { OutboundResponse } from '../outbound.ts';
import { parseRetryAfter } from '../retry-after.ts';
import { parseClaims } from './claims.ts';
import { readEntraErrorBody, type EntraErrorBody } from './entra-error-body.ts';

/** Builds the `WWW-Authenticate` by which a caller can satisfy a claims challenge (minified JSON). */
export type ToClaimsChallenge = (tenantId: string, claims: string | undefined) => string;

type Kind = 'busy' | 'interaction' | 'consent' | 'credential' | 'denied' | 'assertion' | 'request';

/** Rows of facts 3, in the order in which they are looked for; AADSTS numbers count only where `error` says too little. */
const KINDS: readonly Readonly<{
  kind: Kind;
  errors?: readonly string[];
  suberrors?: readonly string[];
  codes?: readonly number[];
}>[] = [
  { kind: 'busy', errors: ['temporarily_unavailable', 'server_error'], codes: [90033, 50196] },
  { kind: 'consent', errors: ['consent_required'], suberrors: ['consent_required'], codes: [65001, 65004] },
  {
    kind: 'interaction',
    errors: ['interaction_required', 'login_required'],
    suberrors: ['basic_action', 'additional_action', 'user_password_expired'],
  },
  { kind: 'credential', errors: ['invalid_client', 'unauthorized_client'] },
  { kind: 'denied', errors: ['access_denied'], codes: [50105, 50020, 50034, 90072] },
  { kind: 'assertion', errors: ['invalid_grant'] },
];

function toKind(status: number, body: EntraErrorBody | undefined): Kind {
  if (status === 429 || status >= 500 || body === undefined) return 'busy';
  if (body.claims !== undefined) return 'interaction';
  const row = KINDS.find(
    ({ errors, suberrors, codes }) =>
      errors?.includes(body.error) ||
      (body.suberror !== undefined && suberrors?.includes(body.suberror)) ||
      body.error_codes?.some((code) => codes?.includes(code)),
  );
  return row?.kind ?? 'request';
}

/** For the log only: names and numbers, none of Entra's prose. */
const toCause = (status: number, body: EntraErrorBody | undefined): Error =>
  new Error(
    `Entra answered ${status} ${body?.error ?? 'without an OAuth error'}, suberror ${body?.suberror ?? 'none'}, codes ${body?.error_codes?.join(' ') ?? 'none'}, correlation ${body?.correlation_id ?? 'none'}`,
  );

const RETRY_AFTER_SECONDS = 5;

/** What Entra's refusal means for the caller of this service (facts 3). */
export function toExchangeProblem(
  { status, headers, body: text }: OutboundResponse,
  {
    tenantId,
    toClaimsChallenge,
    now,
  }: Readonly<{ tenantId: string; toClaimsChallenge: ToClaimsChallenge; now: number }>,
): ProblemError {
  const body = readEntraErrorBody(text);
  const cause = toCause(status, body);
  switch (toKind(status, body)) {
    case 'busy': {
      const retryAfterSeconds = parseRetryAfter(headers['retry-after'], now) ?? RETRY_AFTER_SECONDS;
      return new ProblemError('entra_unavailable', undefined, { cause, retryAfterSeconds });
    }
    case 'consent':
      return new ProblemError(
        'consent_required',
        'Consent is missing: an administrator of the tenant must grant this service the permission DeviceManagementConfiguration.ReadWrite.All of Microsoft Graph.',
        { cause },
      );
    case 'interaction':
      return new ProblemError(
        'claims_challenge',
        'Microsoft Entra asks the user to sign in again. Acquire a new token with the claims in WWW-Authenticate; a caller that cannot do so must send its user to sign in interactively.',
        { cause, challenge: toClaimsChallenge(tenantId, parseClaims(body?.claims)) },
      );
    case 'credential':
      return new ProblemError('credential_rejected', undefined, { cause });
    case 'denied':
      return new ProblemError('policy_denied', undefined, { cause });
    case 'assertion':
      return new ProblemError(
        'invalid_token',
        'Microsoft Entra did not accept the access token for the exchange. Request a new one.',
        {
          cause,
          challenge:
            'Bearer error="invalid_token", error_description="The token was refused at the exchange"',
        },
      );
    case 'request':
      return new ProblemError(
        'credential_rejected',
        'Microsoft Entra refused the request of this service. Tell its operators.',
        { cause },
      );
  }
}
