import type { Logger } from '../log.ts';
import type { Step } from './request-scope.ts';

/** Told of every request when its answer is out, or when the caller left (status 499). */
export type OnAnswer = (
  answer: Readonly<{ operation: string; status: number; code: string | undefined; durationMs: number }>,
) => void;

type AccessLogOptions = Readonly<{ log: Logger; onAnswer: OnAnswer; now?: () => number }>;

/** The status nginx gives to a request whose caller left before the answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** One line and one measurement for each request. */
export function logAccess({ log, onAnswer, now = Date.now }: AccessLogOptions): Step {
  return function logAccess(request, response, next) {
    const { scope } = response.locals;
    const { method } = request;
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : CLIENT_CLOSED_REQUEST;
      const durationMs = now() - scope.startedAt;
      const operation = scope.operation?.name ?? 'none';
      onAnswer({ operation, status, code: scope.problemCode, durationMs });
      log.info('answered', {
        requestId: scope.requestId,
        clientRequestId: scope.clientRequestId,
        traceId: scope.traceId,
        method,
        path: scope.path.slice(0, 256),
        operation,
        status,
        code: scope.problemCode,
        durationMs,
        address: scope.source.address,
        tenantId: scope.caller?.tenantId,
        objectId: scope.caller?.objectId,
        clientId: scope.caller?.clientId,
      });
    });
    next();
  };
}
