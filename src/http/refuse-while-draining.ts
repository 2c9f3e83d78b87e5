import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

/** Seconds after which another instance will surely take the request. */
const RETRY_AFTER = 1;

/** After SIGTERM: what is under way is finished, what comes new is refused and its connection closed. */
export function refuseWhileDraining(isDraining: () => boolean): Step {
  return function refuseWhileDraining(_request, response, next) {
    if (!isDraining()) return next();
    response.setHeader('Connection', 'close');
    throw new ProblemError('shutting_down', undefined, { retryAfterSeconds: RETRY_AFTER });
  };
}
