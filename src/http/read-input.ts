import express, { type RequestHandler } from 'express';
import { ProblemError } from '../errors.ts';
import { parseProfileId } from '../graph/profile.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';
import { parseValidityBody } from './validity-body.ts';

/** Bytes of body read; the largest sensible one has under a hundred. */
const MAX_BODY = 4096;

/** `application/json`, with no parameter but `charset=utf-8`. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/** Reads the body as bytes, after the caller is known; nothing is inflated. */
export const readBody = (): RequestHandler =>
  express.raw({ type: () => true, limit: MAX_BODY, inflate: false });

/** Id, body and headers of the operation, each parsed strictly and typed once. */
export function parseInput({ maxTokenValiditySeconds }: Readonly<{ maxTokenValiditySeconds: number }>): Step {
  return function parseInput(request, response, next) {
    const { scope } = response.locals;
    const { operation } = requireOperation(scope);
    const { accept = '*/*' } = request.headers;
    if (accept !== '*/*' && !request.accepts(['application/json', 'application/problem+json'])) {
      throw new ProblemError(
        'not_acceptable',
        'This route answers with application/json or application/problem+json.',
      );
    }
    if (scope.set && scope.rawId !== undefined)
      scope.profile = { set: scope.set, id: parseProfileId(scope.rawId) };

    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (operation.body === 'validity') {
      if (bytes.length > 0 && !JSON_TYPE.test(request.headers['content-type'] ?? '')) {
        throw new ProblemError('unsupported_media_type');
      }
      scope.validitySeconds = parseValidityBody(bytes, maxTokenValiditySeconds);
    } else if (bytes.length > 0) {
      throw new ProblemError('invalid_body', 'This operation takes no body.');
    }

    const key = parseIdempotencyKey(request.rawHeaders);
    if (key !== undefined) scope.idempotencyKey = key;
    next();
  };
}
