import { STATUS_CODES } from 'node:http';
import { PROBLEMS, type ProblemError } from '../errors.ts';
import type { RequestScope } from './request-scope.ts';

type Ids = Pick<RequestScope, 'requestId' | 'clientRequestId'>;

/** Graph's error envelope, so that the Graph SDKs read it (contract 4). */
export const toGraphErrorBody = ({ code, message }: ProblemError, ids: Ids, now: number) => ({
  error: {
    code: PROBLEMS[code].graphCode,
    message,
    innerError: {
      code,
      date: new Date(now).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length),
      'request-id': ids.requestId,
      'client-request-id': ids.clientRequestId,
    },
  },
});

/** The problem type that draft-ietf-httpapi-ratelimit-headers registers. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/** RFC 9457. Without a registered type of its own a problem is `about:blank`, told apart by `code`. */
export const toProblemDetails = ({ code, status, message, options }: ProblemError, ids: Ids) => ({
  type: options.violatedPolicies ? QUOTA_EXCEEDED : 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail: message,
  code,
  'request-id': ids.requestId,
  'client-request-id': ids.clientRequestId,
  ...(options.violatedPolicies && { 'violated-policies': options.violatedPolicies }),
});
