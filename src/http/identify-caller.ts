import type { Authenticate, Caller } from '../caller/caller.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

/** Throws ProblemError `insufficient_scope` or `client_not_allowed`. */
export type Authorise = (caller: Caller, scope: string) => void;

/** Authorization header → verified caller. It stands before any body parser and looks at nothing else of the request. */
export function identifyCaller(authenticate: Authenticate): Step {
  return async function identifyCaller(request, response, next) {
    response.locals.scope.caller = await authenticate(request.rawHeaders);
    next();
  };
}

/** The scope of the operation and the calling application. */
export function authoriseCaller(authorise: Authorise): Step {
  return function authoriseCaller(_request, response, next) {
    const { operation, caller } = requireOperation(response.locals.scope);
    authorise(caller, operation.scope);
    next();
  };
}
