import { ProblemError } from '../errors.ts';
import { parseProfileId } from '../graph/profile.ts';
import { acceptsJson } from './accept.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';
import { parseValidityBody } from './validity-body.ts';

/** `application/json`, with no parameter but `charset=utf-8`. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/** Headers, id and body of the operation, each parsed strictly and typed once. */
export function parseInput({ maxTokenValiditySeconds }: Readonly<{ maxTokenValiditySeconds: number }>): Step {
  return function parseInput({ headers, rawHeaders }, response, next) {
    const { scope } = response.locals;
    const { operation } = requireOperation(scope);
    const { set, rawId, body = Buffer.alloc(0) } = scope;
    if (!acceptsJson(headers.accept)) {
      throw new ProblemError(
        'not_acceptable',
        'This route answers with application/json or application/problem+json.',
      );
    }
    if (set && rawId !== undefined) scope.profile = { set, id: parseProfileId(rawId) };

    if (operation.body === 'validity') {
      if (body.length > 0 && !JSON_TYPE.test(headers['content-type'] ?? '')) {
        throw new ProblemError('unsupported_media_type');
      }
      scope.validitySeconds = parseValidityBody(body, maxTokenValiditySeconds);
    } else if (body.length > 0) {
      throw new ProblemError('invalid_body', 'This operation takes no body.');
    }

    const key = parseIdempotencyKey(rawHeaders);
    if (key !== undefined) scope.idempotencyKey = key;
    next();
  };
}
