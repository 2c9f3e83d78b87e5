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
  // Added by the Graph JavaScript SDK.
  'SdkVersion',
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
  const allowed = new Set(origins);
  const answer = cors({
    origin: true,
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: RESPONSE_HEADERS,
    maxAge: PREFLIGHT_LIFETIME,
  });
  return function allowOrigins(request, response, next) {
    const { origin = '', 'access-control-request-method': preflight } = request.headers;
    // An OPTIONS that is no preflight is a method like any other: 405. So is one from an origin that is not listed.
    const isOtherOptions = request.method === 'OPTIONS' && preflight === undefined;
    if (allowed.has(origin) && !isOtherOptions) return answer(request, response, next);
    // The first header that says on what the answer depends; `vary` would look for others.
    response.setHeader('Vary', 'Origin');
    next();
  };
}
