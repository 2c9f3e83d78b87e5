import type { Enrollment } from '../enrollment/enrollment.ts';
import type { Step } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';

/** Hands the checked request to the operation of its row and answers its success. */
export function runOperation(enrollment: Enrollment): Step {
  return async function runOperation(_request, response, next) {
    const { scope } = response.locals;
    const { operation, caller } = requireOperation(scope);
    const { profile, validitySeconds, source, requestId, clientRequestId, deadline, idempotencyKey } = scope;
    // A caller that left before anything began gets nothing done.
    if (response.destroyed) return;
    if (!profile) return next(new Error('a write without a profile'));
    const write = {
      caller,
      profile,
      source,
      requestId,
      clientRequestId,
      deadline,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    if (operation.name === 'createToken' && validitySeconds !== undefined) {
      await enrollment.create(write, validitySeconds);
    } else if (operation.name === 'revokeToken') {
      await enrollment.revoke(write);
    }
    response.status(204).end();
  };
}
