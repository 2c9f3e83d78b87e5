import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors.ts';
import { parseListQuery } from '../graph/list-query.ts';
import { parseProfileId } from '../graph/profile.ts';
import { acceptsJson, prefersPng } from './accept.ts';
import { countHeader } from './count-header.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { prefersRepresentation } from './prefer.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';
import { parseValidityBody } from './validity-body.ts';

/** `application/json` with any parameter (OData has several), but no charset other than UTF-8, and none without a value. */
const JSON_TYPE =
  /^application\/json\s*(?:;(?!\s*charset\s*(?:$|;|=(?!\s*(?:utf-8|"utf-8")\s*(?:;|$))))[^;]*)*$/i;

/** Of two lines that say what the body is, only one would be looked at. */
const isJson = ({ headers, rawHeaders }: IncomingMessage): boolean =>
  JSON_TYPE.test(headers['content-type'] ?? '') && countHeader(rawHeaders, 'content-type') === 1;

/** Headers, id and body of the operation, each parsed strictly and typed once. */
export function parseInput({ maxTokenValiditySeconds }: Readonly<{ maxTokenValiditySeconds: number }>): Step {
  return function parseInput(request, response, next) {
    const { headers, rawHeaders, url } = request;
    const { scope } = response.locals;
    const { operation } = requireOperation(scope);
    const { set, rawId, body = Buffer.alloc(0) } = scope;
    // The refusal of a media type depends on it as the image does.
    if (operation.image) response.vary('Accept');
    scope.wantsImage = operation.image === true && prefersPng(headers.accept);
    if (!scope.wantsImage && !acceptsJson(headers.accept)) {
      throw new ProblemError(
        'not_acceptable',
        `This route answers with ${operation.image ? 'image/png, ' : ''}application/json or application/problem+json.`,
      );
    }
    if (set && rawId !== undefined) scope.profile = { set, id: parseProfileId(rawId) };

    if (operation.body === 'validity') {
      if (body.length > 0 && !isJson(request)) {
        throw new ProblemError('unsupported_media_type');
      }
      scope.validitySeconds = parseValidityBody(body, maxTokenValiditySeconds);
    } else if (body.length > 0) {
      throw new ProblemError('invalid_body', 'This operation takes no body.');
    }

    const query = url.split('?').slice(1).join('?');
    if (operation.query === 'list') scope.listQuery = parseListQuery(query);
    if (operation.query === 'none' && query !== '') {
      throw new ProblemError('invalid_query', 'This route takes no query.');
    }

    scope.wantsToken = prefersRepresentation(headers['prefer']);
    const key = operation.write ? parseIdempotencyKey(rawHeaders) : undefined;
    if (key !== undefined) scope.idempotencyKey = key;
    next();
  };
}
