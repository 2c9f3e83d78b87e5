import { ProblemError } from '../errors.ts';
import { toRoute } from '../graph/operations.ts';
import type { Step } from './request-scope.ts';

/** Path and method → one row of the operations table, or 404 or 405. */
export function findOperation(): Step {
  return function findOperation(request, response, next) {
    const { scope } = response.locals;
    const route = toRoute(request.method, scope.path);
    if (route.kind === 'unknown') throw new ProblemError('unknown_route');
    if (route.kind === 'otherMethod') {
      throw new ProblemError('method_not_allowed', undefined, { allow: route.allow.join(', ') });
    }
    scope.operation = route.operation;
    scope.set = route.set;
    if (route.id !== undefined) scope.rawId = route.id;
    next();
  };
}
