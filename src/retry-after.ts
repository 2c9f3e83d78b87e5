/** The longest wait that is passed on, in seconds: an upstream's mistake must not lock callers out for a day. */
const LONGEST_WAIT = 3600;

/** `Retry-After` (RFC 9110 section 10.2.3), in seconds or as a date, as whole seconds from `now` (ms), capped at an hour. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - now) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), LONGEST_WAIT);
}
