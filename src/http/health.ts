import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

const BODY = Buffer.from('{"status":"ok"}');

/** `GET /healthz` for load balancers: the process answers. It says nothing else. */
export function answerHealth(): Step {
  return function answerHealth(request, response, next) {
    if (response.locals.scope.path !== '/healthz') return next();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError('method_not_allowed', undefined, { allow: 'GET, HEAD' });
    }
    // RFC 8259: the media type has no charset parameter, which Express would add.
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', BODY.length);
    response.end(request.method === 'HEAD' ? undefined : BODY);
  };
}
