import { ProblemError } from '../errors.ts';
import type { GraphAnswer } from './graph-answer.ts';

/** Seconds to wait when Graph names none, as Intune's 429 often does. */
const DEFAULT_RETRY_AFTER = 10;

/** For the log: what Graph said, in names and numbers only. */
const toCause = ({ status, errorCode, requestId }: GraphAnswer): Error =>
  new Error(
    `Graph answered ${status} ${errorCode ?? 'without an error code'}, request-id ${requestId ?? 'none'}`,
  );

/**
 * The problem that a refusal of Graph's is for the caller, for those by which Graph certainly did nothing; `undefined` for
 * success, for a 401 (an exchange anew comes first) and for all that leaves open what happened.
 */
export function toGraphRefusal(answer: GraphAnswer): ProblemError | undefined {
  if (answer.status < 400) return undefined;
  const cause = toCause(answer);
  switch (answer.status) {
    case 403:
      return new ProblemError('graph_forbidden', undefined, { cause });
    case 404:
      return new ProblemError('profile_not_found', undefined, { cause });
    case 409:
    case 412:
    case 423:
      return new ProblemError('graph_conflict', undefined, { cause });
    case 429:
      return toThrottled(answer.retryAfterSeconds, cause);
    case 401:
      return undefined;
    default:
      return answer.status >= 400 && answer.status < 500
        ? new ProblemError('graph_rejected', undefined, { cause })
        : undefined;
  }
}

export const toThrottled = (retryAfterSeconds: number | undefined, cause?: unknown): ProblemError =>
  new ProblemError('graph_throttled', undefined, {
    cause,
    retryAfterSeconds: retryAfterSeconds ?? DEFAULT_RETRY_AFTER,
  });

export const toGraphUnavailable = (answer: GraphAnswer): ProblemError =>
  new ProblemError('graph_unavailable', undefined, {
    cause: toCause(answer),
    retryAfterSeconds: answer.retryAfterSeconds ?? DEFAULT_RETRY_AFTER,
  });

export const toUpstreamInvalid = (answer?: GraphAnswer): ProblemError =>
  new ProblemError('upstream_invalid', undefined, answer && { cause: toCause(answer) });

export const toUpstreamFailed = (answer: GraphAnswer): ProblemError =>
  new ProblemError('upstream_failed', undefined, { cause: toCause(answer) });
