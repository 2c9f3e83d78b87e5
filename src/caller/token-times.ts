import { ProblemError } from '../errors.ts';
import type { Claims } from './claims.ts';

/** Clocks of callers, of Entra and of this host differ by no more. */
const SKEW_SECONDS = 60;
/** A longer time is not counted: nobody reads "expired 495 873 h ago" as the wrong clock or the old token that it is. */
const YEAR_SECONDS = 365 * 24 * 3_600;

/**
 * `exp` and `nbf` (RFC 7519 sections 4.1.4 and 4.1.5).
 * @param now milliseconds since the epoch
 * @throws {ProblemError} `token_expired`, `token_not_yet_valid`, or `invalid_token` when the two contradict each other
 */
export function requireValidTimes({ exp, nbf = 0 }: Claims, now: number): void {
  const seconds = Math.floor(now / 1_000);
  if (nbf >= exp) throw new ProblemError('invalid_token', 'The access token ends before it begins.');
  if (seconds >= exp + SKEW_SECONDS) {
    throw new ProblemError(
      'token_expired',
      `The access token expired ${toDuration(seconds - exp)} ago. Request a new one.`,
    );
  }
  if (nbf > seconds + SKEW_SECONDS) {
    throw new ProblemError(
      'token_not_yet_valid',
      `The access token is not valid for ${toWait(nbf - seconds)}. Check the clock of the caller.`,
    );
  }
}

function toWait(seconds: number): string {
  return seconds > YEAR_SECONDS ? `${toDuration(seconds)} to come` : `another ${toDuration(seconds)}`;
}

function toDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds <= YEAR_SECONDS) return `${Math.floor(seconds / 3_600)} h`;
  return 'more than a year';
}
