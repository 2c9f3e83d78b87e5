import { z } from 'zod';
import { ProblemError } from '../errors.ts';
import { parseRetryAfter } from '../retry-after.ts';
import type { OutboundResponse } from '../outbound.ts';

const EntraErrorBody = z.object({
  error: z.string(),
  suberror: z.string().optional().catch(undefined),
  error_codes: z.array(z.number()).optional().catch(undefined),
  claims: z.string().optional().catch(undefined),
  correlation_id: z.string().optional().catch(undefined),
});

/** Entra's error (RFC 6749 section 5.2 and Microsoft's additions), of which only these members are acted upon or logged. */
export type EntraError = z.infer<typeof EntraErrorBody>;

export function readEntraError(body: string): EntraError | undefined {
  try {
    return EntraErrorBody.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const BUSY = new Set(['temporarily_unavailable', 'server_error']);
const OWN_CREDENTIAL = new Set(['invalid_client', 'unauthorized_client']);

/** AADSTS numbers that share `invalid_grant` with others and mean that this user may not, whatever is repeated. */
const DENIED_CODES = new Set([50105, 50020, 50034, 90072]);
const CONSENT_CODES = new Set([65001, 65004]);
const BUSY_CODES = new Set([90033, 50196]);

const some = (codes: readonly number[] | undefined, set: ReadonlySet<number>): boolean =>
  codes?.some((code) => set.has(code)) ?? false;

/** The claims challenge of Entra or Graph, as minified JSON; `undefined` when it is not a JSON object. */
export function parseClaims(claims: string | undefined): string | undefined {
  if (claims === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(claims);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? JSON.stringify(value)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Builds the `WWW-Authenticate` by which a caller can satisfy a claims challenge. */
export type ToClaimsChallenge = (tenantId: string, claims: string | undefined) => string;

/** What Entra's refusal means for the caller of this service (facts 3). */
export function toExchangeProblem(
  response: OutboundResponse,
  {
    tenantId,
    toClaimsChallenge,
    now,
  }: Readonly<{ tenantId: string; toClaimsChallenge: ToClaimsChallenge; now: number }>,
): ProblemError {
  const entra = readEntraError(response.body);
  const cause = new Error(describe(response.status, entra));
  const retryAfterSeconds = parseRetryAfter(response.headers['retry-after'], now) ?? 5;
  const busy =
    response.status === 429 ||
    response.status >= 500 ||
    entra === undefined ||
    BUSY.has(entra.error) ||
    some(entra.error_codes, BUSY_CODES);
  if (busy) return new ProblemError('entra_unavailable', undefined, { cause, retryAfterSeconds });

  if (
    entra.suberror === 'consent_required' ||
    entra.error === 'consent_required' ||
    some(entra.error_codes, CONSENT_CODES)
  ) {
    return new ProblemError(
      'consent_required',
      'Consent is missing: an administrator of the tenant must grant this service the permission DeviceManagementConfiguration.ReadWrite.All of Microsoft Graph.',
      { cause },
    );
  }
  if (entra.error === 'interaction_required' || entra.claims !== undefined) {
    return new ProblemError(
      'claims_challenge',
      'Microsoft Entra asks the user to sign in again. Acquire a new token with the claims in WWW-Authenticate; a caller that cannot do so must send its user to sign in interactively.',
      { cause, challenge: toClaimsChallenge(tenantId, parseClaims(entra.claims)) },
    );
  }
  if (OWN_CREDENTIAL.has(entra.error)) return new ProblemError('credential_rejected', undefined, { cause });
  if (entra.error === 'access_denied' || some(entra.error_codes, DENIED_CODES)) {
    return new ProblemError('policy_denied', undefined, { cause });
  }
  if (entra.error === 'invalid_grant') {
    return new ProblemError(
      'invalid_token',
      'Microsoft Entra did not accept the access token for the exchange. Request a new one.',
      {
        cause,
        challenge: 'Bearer error="invalid_token", error_description="The token was refused at the exchange"',
      },
    );
  }
  return new ProblemError(
    'credential_rejected',
    'Microsoft Entra refused the request of this service. Tell its operators.',
    {
      cause,
    },
  );
}

/** For the log only: names and numbers, none of Entra's prose. */
const describe = (status: number, entra: EntraError | undefined): string =>
  `Entra answered ${status} ${entra?.error ?? 'without an OAuth error'}${entra?.suberror ? `/${entra.suberror}` : ''} (${entra?.error_codes?.join(' ') ?? 'no codes'}), correlation ${entra?.correlation_id ?? 'none'}`;
