import { parseRetryAfter } from '../retry-after.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const readError = (json: unknown): Readonly<Record<string, unknown>> | undefined =>
  isObject(json) && isObject(json['error']) ? json['error'] : undefined;

/** Graph's `error.code`, if it looks like one. Never shown to a caller: it goes to the log. */
export function readGraphErrorCode(json: unknown): string | undefined {
  const code = readError(json)?.['code'];
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : undefined;
}

/** How often Intune nests JSON in `error.message`, with room to spare. */
const DEEPEST_NESTING = 4;

/** The `RetryAfter` that Intune hides in the JSON inside `error.message`, which may itself hold JSON. In seconds. */
export function readIntuneRetryAfter(json: unknown, now: number): number | undefined {
  let message = readError(json)?.['message'];
  for (let depth = 0; depth < DEEPEST_NESTING; depth += 1) {
    if (typeof message !== 'string') return undefined;
    let inner: unknown;
    try {
      inner = JSON.parse(message);
    } catch {
      return undefined;
    }
    if (!isObject(inner)) return undefined;
    const wait = inner['RetryAfter'];
    if (typeof wait === 'number') return parseRetryAfter(String(Math.ceil(wait)), now);
    if (typeof wait === 'string' && wait !== '') return parseRetryAfter(wait, now);
    message = inner['Message'];
  }
  return undefined;
}
