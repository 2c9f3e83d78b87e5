import { setTimeout as wait } from 'node:timers/promises';

/**
 * Resolves with the first value of `read` that is neither `undefined` nor `false`; rejects when there is none in time, by a clock that
 * nobody sets. The time is for a busy machine: it is not what a test is about.
 */
export async function waitUntil<Value>(
  read: () => Value | undefined | false | Promise<Value | undefined | false>,
  milliseconds = 60_000,
): Promise<Value> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${String(read)}`);
    await wait(10);
  }
}
