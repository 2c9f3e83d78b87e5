/** The longest wait that is passed on, in seconds: an upstream's mistake must not lock callers out for a day. */
const LONGEST_WAIT = 3600;

/** An HTTP date (RFC 9110 section 5.6.7) as servers write it today; JavaScript would take "1.5" for a date, too. */
const DATE = /^[A-Z][a-z]{2}, .+ GMT$/;

function parseSeconds(text: string, now: number): number {
  if (/^\d+$/.test(text)) return Number(text);
  return DATE.test(text) ? Math.ceil((Date.parse(text) - now) / 1000) : Number.NaN;
}

/** `Retry-After` (RFC 9110 section 10.2.3), in seconds or as a date, as whole seconds from `now` (ms), capped at an hour. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const seconds = parseSeconds(value?.trim() ?? '', now);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), LONGEST_WAIT);
}
