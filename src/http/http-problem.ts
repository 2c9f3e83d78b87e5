import { ProblemError, toProblem } from '../errors.ts';

/** The errors of Express's body reader, by their `type`. */
const BODY_PROBLEMS = {
  'entity.too.large': 'body_too_large',
  'encoding.unsupported': 'unsupported_media_type',
  'charset.unsupported': 'unsupported_media_type',
  'request.size.invalid': 'invalid_body',
  'request.aborted': 'invalid_body',
  'stream.encoding.set': 'internal_error',
} as const;

const isBodyError = (type: unknown): type is keyof typeof BODY_PROBLEMS =>
  typeof type === 'string' && Object.hasOwn(BODY_PROBLEMS, type);

/** Any error that a step threw, as a row of the problems table. */
export function toHttpProblem(error: unknown): ProblemError {
  if (error instanceof Error && 'type' in error && isBodyError(error.type)) {
    return new ProblemError(BODY_PROBLEMS[error.type], undefined, { cause: error });
  }
  return toProblem(error);
}
