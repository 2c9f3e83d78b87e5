import { ServerResponse } from 'node:http';
import type { Express } from 'express';
import { toRateLimitHeaders } from '../limits/headers.ts';
import type { ScopedLocals } from './request-scope.ts';

type ScopedResponse = ServerResponse & Readonly<{ locals?: Partial<ScopedLocals> }>;

/**
 * Says where the limits stand when the head of an answer is written, whichever step answers: since they decided, up to the deadline
 * of a request has passed.
 */
export function tellLimits({ response }: Pick<Express, 'response'>, now: () => number): void {
  function writeHeadWithLimits(
    this: ScopedResponse,
    ...head: Parameters<ServerResponse['writeHead']>
  ): ServerResponse {
    const { rateLimits = [] } = this.locals?.scope ?? {};
    if (rateLimits.length > 0) {
      const headers = toRateLimitHeaders(rateLimits, now());
      for (const name in headers) this.setHeader(name, headers[name] ?? '');
    }
    return ServerResponse.prototype.writeHead.apply(this, head);
  }

  Object.assign(response, { writeHead: writeHeadWithLimits });
}
