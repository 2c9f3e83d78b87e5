/** No answer within the time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
  }
}

/**
 * The promise's own outcome, or a rejection with DeadlineError after the time. An answer that has arrived while this process
 * was busy still counts: the clock is looked at once more after what waits at the sockets has been read.
 */
export function withDeadline<Value>(promise: Promise<Value>, deadlineMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new DeadlineError(deadlineMs))), deadlineMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
