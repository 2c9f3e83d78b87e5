import type { ErrorRequestHandler } from 'express';
import type { Logger } from '../log.ts';

/** When even the answer to an error failed: a bare 500, never Express's own page with a stack on it. */
export function lastResort(log: Logger): ErrorRequestHandler {
  return function lastResort(error: unknown, _request, response, _next) {
    log.error('an error could not be answered', { error });
    if (response.headersSent) response.destroy();
    else response.status(500).end();
  };
}
