import { startDeadline } from '../enrollment/deadline.ts';
import type { Enrollment } from '../enrollment/enrollment.ts';
import type { Answer } from './answer.ts';
import { PERFORM } from './perform.ts';
import type { ReadPublicBase } from './public-base.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

type RunOperationOptions = Readonly<{
  enrollment: Enrollment;
  readPublicBase: ReadPublicBase;
  /** Milliseconds for everything done for one caller, from the arrival of the request. */
  requestDeadlineMs: number;
  now: () => number;
}>;

/** Hands the checked request to the operation of its row and answers its success. */
export function runOperation(options: RunOperationOptions): Step {
  const { enrollment, readPublicBase, requestDeadlineMs, now } = options;
  return async function runOperation(request, response) {
    const { scope } = response.locals;
    const { operation } = requireOperation(scope);
    // A caller that left before anything began gets nothing done.
    if (response.destroyed) return;

    const timeMs = Math.max(0, scope.startedAt + requestDeadlineMs - now());
    const deadline = startDeadline(timeMs, now, response);
    const publicBase = () => readPublicBase(request);
    let answer: Answer;
    try {
      answer = await PERFORM[operation.name]({ enrollment, scope, deadline, publicBase });
    } finally {
      // Not when the caller leaves: what was begun for it still has to end in time.
      deadline.clear();
    }
    const { status, headers = {}, body } = answer;
    response.status(status);
    for (const name in headers) response.setHeader(name, headers[name] ?? '');
    if (body !== undefined) response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  };
}
