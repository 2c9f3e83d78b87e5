import type { ErrorRequestHandler } from 'express';
import type { AuditActor, RefusalEvent } from '../audit/record.ts';
import { toProblem, type ProblemCode, type ProblemError } from '../errors.ts';
import { toRetryAfter } from '../limits/headers.ts';
import type { Logger } from '../log.ts';
import { toAuditActor } from '../enrollment/audit-actor.ts';
import { prefersProblemDetails } from './accept.ts';
import { toGraphErrorBody, toProblemDetails } from './problem-body.ts';
import type { RequestScope, ScopedLocals } from './request-scope.ts';

type AnswerProblemOptions = Readonly<{
  log: Logger;
  /** Keeps refusals in the audit journal; never throws. */
  recordRefusal: (refusal: RefusalEvent) => Promise<void>;
  /** For metrics. */
  onRefusal: (code: ProblemCode) => void;
  now?: () => number;
}>;

/** Seconds, for the statuses on which a `Retry-After` must stand. */
const DEFAULT_RETRY_AFTER = 5;

function toHeaders({ status, options }: ProblemError): Readonly<Record<string, string>> {
  const retryAfter =
    options.retryAfterSeconds ?? (status === 429 || status === 503 ? DEFAULT_RETRY_AFTER : undefined);
  // RFC 9110 section 15.5.2: no 401 without one.
  const challenge = options.challenge ?? (status === 401 ? 'Bearer' : undefined);
  return {
    'Cache-Control': 'no-store',
    ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
    ...(options.allow !== undefined && { Allow: options.allow }),
    ...(retryAfter !== undefined && { 'Retry-After': toRetryAfter(retryAfter) }),
  };
}

function toRefusal(
  { status, code }: ProblemError,
  { operation, caller, source }: RequestScope,
): RefusalEvent {
  const actor: AuditActor | undefined = caller && toAuditActor(caller);
  return {
    kind: 'refusal',
    ...(operation?.action && { action: operation.action }),
    ...(actor && { actor }),
    source,
    status,
    code,
  };
}

/** The one place that turns an error into an answer, and the one that records a refusal. */
export function answerProblem({
  log,
  recordRefusal,
  onRefusal,
  now = Date.now,
}: AnswerProblemOptions): ErrorRequestHandler<
  Record<string, string>,
  unknown,
  unknown,
  unknown,
  ScopedLocals
> {
  return async function answerProblem(error: unknown, request, response, _next) {
    const problem = toProblem(error);
    const { scope } = response.locals;
    const { requestId, clientRequestId } = scope;
    scope.problemCode = problem.code;
    // A stop is no fault, and refuses whatever comes.
    if (problem.code === 'shutting_down')
      log.info('refused', { requestId, clientRequestId, code: problem.code });
    else if (problem.status >= 500)
      log.error('failed', { requestId, clientRequestId, code: problem.code, error: problem });
    if (problem.status < 500) {
      onRefusal(problem.code);
      await recordRefusal(toRefusal(problem, scope));
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const prefersDetails = prefersProblemDetails(request.headers.accept);
    const body = prefersDetails ? toProblemDetails(problem, scope) : toGraphErrorBody(problem, scope, now());
    // RFC 9457 and RFC 8259: neither media type has a charset parameter.
    const type = prefersDetails ? 'application/problem+json' : 'application/json';
    response.status(problem.status).set(toHeaders(problem)).setHeader('Content-Type', type);
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
  };
}
