import { ProblemError, type ProblemCode } from '../errors.ts';

const OPEN_INVALID =
  'Microsoft Graph gave an answer that is not the documented one, and the operation may have been done. Ask again with the same Idempotency-Key, or read the profile; do not simply repeat it.';

/** A refusal that the caller can do something about, and that says nothing of the operation itself. */
export const isForCaller = ({ status }: ProblemError): boolean => status === 401 || status === 403;

/** What the caller is told of an operation that may have been done: never that it is safe to repeat. */
export const toOpenProblem = (code: ProblemCode = 'outcome_unknown', cause?: unknown): ProblemError =>
  new ProblemError(code, code === 'upstream_invalid' ? OPEN_INVALID : undefined, { cause });
