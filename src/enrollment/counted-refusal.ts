import { ProblemError } from '../errors.ts';

/**
 * The refusal of a further try, as it is told once an earlier one reached Graph: nothing was done, but Graph has counted that one, so
 * that it costs what a request costs.
 */
export function toCountedRefusal(problem: ProblemError): ProblemError {
  if (problem.options.costsNothing !== true) return problem;
  const { costsNothing: _refund, ...options } = problem.options;
  return new ProblemError(problem.code, problem.message, options);
}
