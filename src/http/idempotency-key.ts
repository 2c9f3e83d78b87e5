import { ProblemError } from '../errors.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/** `Idempotency-Key`, at most once; throws ProblemError `invalid_idempotency_key`. */
export function parseIdempotencyKey(rawHeaders: readonly string[]): string | undefined {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'idempotency-key',
  );
  const [key, ...others] = values;
  if (key === undefined) return undefined;
  if (others.length > 0 || !VISIBLE_ASCII.test(key)) throw new ProblemError('invalid_idempotency_key');
  return key;
}
