import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

/** `GET /healthz` for load balancers: the process answers. It says nothing else. */
export function answerHealth(): Step {
  return function answerHealth(request, response, next) {
    if (response.locals.scope.path !== '/healthz') return next();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError('method_not_allowed', undefined, { allow: 'GET, HEAD' });
    }
    response.json({ status: 'ok' });
  };
}
