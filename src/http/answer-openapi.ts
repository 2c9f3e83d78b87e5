import { ProblemError } from '../errors.ts';
import { OPENAPI } from '../openapi/document.ts';
import type { Step } from './request-scope.ts';

/** `GET /openapi.json`: what this service offers, for tools. */
export function answerOpenapi(): Step {
  const body = JSON.stringify(OPENAPI);
  return function answerOpenapi(request, response, next) {
    if (response.locals.scope.path !== '/openapi.json') return next();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError('method_not_allowed', undefined, { allow: 'GET, HEAD' });
    }
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.setHeader('Cache-Control', 'no-cache');
    response.end(body);
  };
}
