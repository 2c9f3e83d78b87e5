import { ProblemError } from '../errors.ts';
import { toScopeUri, type Api } from './api.ts';
import type { Caller } from './caller.ts';
import { toChallenge } from './challenge.ts';

/** Whom an operation admits. */
export type Admission = Readonly<{
  api: Api;
  /** The scope of the operation, for example `EnrollmentToken.Create`. */
  scope: string;
  /** Accepted calling applications. */
  allowedClientIds: readonly string[] | '*';
}>;

/** @throws {ProblemError} `client_not_allowed`, or `insufficient_scope` with its challenge (RFC 6750 section 3.1). */
export function authorise(caller: Caller, { api, scope, allowedClientIds }: Admission): void {
  if (allowedClientIds !== '*' && !allowedClientIds.includes(caller.clientId)) {
    throw new ProblemError(
      'client_not_allowed',
      `The application ${caller.clientId} is not in ALLOWED_CLIENT_IDS.`,
    );
  }
  if (caller.scopes.includes(scope)) return;
  const scopeUri = toScopeUri(api, scope);
  const message = `The token lacks the scope ${scope}. Request one with the scope ${scopeUri}.`;
  const challenge = toChallenge(api, {
    tenantId: caller.tenantId,
    error: 'insufficient_scope',
    description: message,
    scope: scopeUri,
  });
  throw new ProblemError('insufficient_scope', message, { challenge });
}
