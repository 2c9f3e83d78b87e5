import cors from 'cors';
import type { Step } from './request-scope.ts';

/** What a browser may send, and what its page may read (contract 5). */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept',
  'client-request-id',
  'traceparent',
  'Idempotency-Key',
  'Prefer',
];
const RESPONSE_HEADERS = [
  'request-id',
  'client-request-id',
  'RateLimit-Policy',
  'RateLimit',
  'Retry-After',
  'WWW-Authenticate',
  'Preference-Applied',
  'Allow',
  'Content-Disposition',
];
/** Seconds a browser may remember a preflight; Chromium's own cap. */
const PREFLIGHT_LIFETIME = 7200;

/** CORS for the listed origins alone. Tokens travel in a header, so credentials (cookies) stay off. */
export function allowOrigins(origins: readonly string[]): Step {
  const answer = cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: RESPONSE_HEADERS,
    maxAge: PREFLIGHT_LIFETIME,
  });
  return function allowOrigins(request, response, next) {
    // An OPTIONS that is no preflight is a method like any other: 405.
    const isPreflight = request.headers['access-control-request-method'] !== undefined;
    if (request.headers.origin === undefined || (request.method === 'OPTIONS' && !isPreflight)) {
      response.vary('Origin');
      return next();
    }
    answer(request, response, next);
  };
}
