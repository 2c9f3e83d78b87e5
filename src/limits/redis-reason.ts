import { DeadlineError } from './deadline.ts';

/**
 * Why Redis cannot be used, in one word that is safe to log: `timeout`, a system code such as `ECONNREFUSED`, or the word a Redis
 * error begins with (`READONLY`, `OOM`, `LOADING`, `NOAUTH`, …). Never the error itself, which carries the command and its arguments.
 */
export function toReason(error: unknown): string {
  if (error instanceof DeadlineError) return 'timeout';
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string' && /^[A-Z_]+$/.test(error.code)) return error.code;
  return /^[A-Z]{2,}\b/.exec(error.message)?.[0] ?? 'disconnected';
}
