/** No answer within the time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
  }
}

/**
 * The promise's own outcome, or a rejection with DeadlineError after the time. An answer that has arrived while this process
 * was busy still counts: the clock is looked at once more after what waits at the sockets has been read. `onLate` is told of an answer for which nobody waits any more.
 */
export function withDeadline<Value>(
  promise: Promise<Value>,
  deadlineMs: number,
  onLate?: (value: Value) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      reject(new DeadlineError(deadlineMs));
    };
    const timer = setTimeout(() => setImmediate(giveUp), deadlineMs);
    promise
      .then((value) => (isLate ? onLate?.(value) : resolve(value)), reject)
      .finally(() => clearTimeout(timer));
  });
}
