import { startDeadline } from '../enrollment/deadline.ts';
import type { Enrollment } from '../enrollment/enrollment.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

type RunOperationOptions = Readonly<{
  enrollment: Enrollment;
  /** Milliseconds for everything done for one caller, from the arrival of the request. */
  requestDeadlineMs: number;
  now: () => number;
}>;

/** Hands the checked request to the operation of its row and answers its success. */
export function runOperation({ enrollment, requestDeadlineMs, now }: RunOperationOptions): Step {
  return async function runOperation(_request, response, next) {
    const { scope } = response.locals;
    const { operation, caller } = requireOperation(scope);
    const { profile, validitySeconds, source, requestId, clientRequestId, idempotencyKey } = scope;
    // A caller that left before anything began gets nothing done.
    if (response.destroyed) return;
    if (!profile) return next(new Error('a write without a profile'));

    const deadline = startDeadline(Math.max(0, scope.startedAt + requestDeadlineMs - now()), now);
    const write = {
      caller,
      profile,
      source,
      requestId,
      clientRequestId,
      deadline,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    try {
      if (operation.name === 'createToken' && validitySeconds !== undefined) {
        await enrollment.create(write, validitySeconds);
      } else if (operation.name === 'revokeToken') {
        await enrollment.revoke(write);
      }
    } finally {
      // Not when the caller leaves: what was begun for it still has to end in time.
      deadline.clear();
    }
    response.status(204).end();
  };
}
