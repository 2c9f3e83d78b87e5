const DAY = 24 * 60 * 60_000;

/** How long before its end, in milliseconds, a token counts as expiring. */
export const EXPIRING_WITHIN = 14 * DAY;

export const TOKEN_STATES = ['none', 'valid', 'expiring', 'expired'] as const;
export type TokenState = (typeof TOKEN_STATES)[number];

/** Intune shows the year 1 where there is no token. */
const FIRST_REAL_MOMENT = Date.parse('2000-01-01T00:00:00Z');

/** Where the token of a profile stands at `now` (milliseconds since the epoch), by its `tokenExpirationDateTime`. */
export function toTokenState(tokenExpirationDateTime: unknown, now: number): TokenState {
  const end = typeof tokenExpirationDateTime === 'string' ? Date.parse(tokenExpirationDateTime) : Number.NaN;
  if (Number.isNaN(end) || end < FIRST_REAL_MOMENT) return 'none';
  if (end <= now) return 'expired';
  return end - now <= EXPIRING_WITHIN ? 'expiring' : 'valid';
}
