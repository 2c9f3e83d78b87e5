import type { Caller } from '../caller/caller.ts';
import type { Operation } from '../graph/operations.ts';
import type { RequestScope } from './request-scope.ts';

/** What every step behind authentication may rely on. A missing piece is a mistake in the order of the steps: 500. */
export function requireOperation({
  operation,
  caller,
}: RequestScope): Readonly<{ operation: Operation; caller: Caller }> {
  if (!operation || !caller) throw new Error('a step ran before the operation and the caller were known');
  return { operation, caller };
}
