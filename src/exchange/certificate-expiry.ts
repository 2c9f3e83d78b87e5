import type { Logger } from '../log.ts';
import type { Certificate } from './certificate.ts';

const DAY = 24 * 60 * 60_000;

/** Days before its end at which a certificate is worth a warning, the nearest first; 0: it has ended. */
const WARNING_DAYS = [0, 1, 7, 30];

/**
 * Warns once at 30, 7 and 1 days before the certificate in use ends and when it has ended; a replaced one starts anew. `check` is to be called
 * when a certificate was read and then daily.
 */
export function createExpiryWarning({ log, now = Date.now }: Readonly<{ log: Logger; now?: () => number }>) {
  let current: Certificate | undefined;
  let warnedAt: number | undefined;

  const check = () => {
    if (!current) return;
    const days = (current.expiresAt - now()) / DAY;
    const threshold = WARNING_DAYS.find((limit) => days <= limit);
    if (threshold === undefined || (warnedAt !== undefined && warnedAt <= threshold)) return;
    warnedAt = threshold;
    const message =
      days > 0 ? 'the certificate of this service ends soon' : 'the certificate of this service has ended';
    log.warn(message, {
      daysLeft: Math.max(0, Math.floor(days)),
      expiresAt: new Date(current.expiresAt).toISOString(),
    });
  };

  return {
    check,
    replace: (certificate: Certificate) => {
      current = certificate;
      warnedAt = undefined;
      check();
    },
  };
}
