import type { Caller } from '../caller/caller.ts';
import { ProblemError } from '../errors.ts';
import { parseClaims } from '../exchange/claims.ts';
import type { ToClaimsChallenge } from '../exchange/entra-error.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import { toUpstreamFailed } from '../graph/graph-problem.ts';

/** What was tried already because of a 401. */
export type Renewal = Readonly<{
  /** An exchange anew, without a challenge. */
  renewed: boolean;
  /** The claims of Graph's challenge that the token was asked with. */
  claims?: string;
}>;

/** What follows a 401 of Graph's, by which it certainly did nothing: another try, or the refusal. */
export type AfterUnauthorised = (
  answer: GraphAnswer,
  caller: Caller,
  tried: Renewal,
) => Renewal | ProblemError;

export type UnauthorisedOptions = Readonly<{ toClaimsChallenge: ToClaimsChallenge; enableCae: boolean }>;

/**
 * A claims challenge (continuous access evaluation) is answered once by an exchange with its claims, if that is opted into,
 * and handed on otherwise; any other 401 by one exchange anew.
 */
export const createAfterUnauthorised =
  ({ toClaimsChallenge, enableCae }: UnauthorisedOptions): AfterUnauthorised =>
  (answer, { tenantId }, tried) => {
    if (!answer.challenge) return tried.renewed ? toUpstreamFailed(answer) : { ...tried, renewed: true };
    const claims = parseClaims(answer.challenge.claims);
    if (enableCae && tried.claims === undefined && claims !== undefined) return { ...tried, claims };
    return new ProblemError(
      'claims_challenge',
      'Microsoft Graph asks the user to sign in again. Acquire a new token with the claims in WWW-Authenticate; a caller that cannot do so must send its user to sign in interactively.',
      { challenge: toClaimsChallenge(tenantId, claims) },
    );
  };
