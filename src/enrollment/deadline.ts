import { ProblemError } from '../errors.ts';
import type { Mutable } from '../mutable.ts';

/** What leads to the caller, as far as it matters here; a `ServerResponse` of node:http is one. */
export type Connection = Readonly<{
  /** The caller has left, or its answer is complete. */
  destroyed: boolean;
  once: (event: 'close', listener: () => void) => unknown;
  off: (event: 'close', listener: () => void) => unknown;
}>;

/** The time that everything done for one caller may take. */
export type Deadline = Readonly<{
  /** Aborted when the time is up. Made, with its timer, for the first who asks; few requests have to wait for anything. */
  signal: AbortSignal;
  /** Milliseconds left; never negative. */
  remainingMs: () => number;
  /** Releases the timer once the answer is decided. */
  clear: () => void;
  /** Looked at before anything is sent for the caller, and while it is waited for that; never behind it. */
  connection?: Connection;
}>;

/** Who waits for something, and how long. */
export type Patience = Pick<Deadline, 'signal' | 'connection'>;

export function startDeadline(
  milliseconds: number,
  now: () => number = Date.now,
  connection?: Connection,
): Deadline {
  const end = now() + milliseconds;
  const remainingMs = () => Math.max(0, end - now());
  let isCleared = false;
  let timer: NodeJS.Timeout | undefined;
  let controller: AbortController | undefined;
  const deadline: Mutable<Deadline> = {
    get signal() {
      if (!controller) {
        const made = new AbortController();
        controller = made;
        if (!isCleared) timer = setTimeout(() => made.abort(), remainingMs());
      }
      return controller.signal;
    },
    remainingMs: () => (controller?.signal.aborted === true ? 0 : remainingMs()),
    clear: () => {
      isCleared = true;
      clearTimeout(timer);
    },
  };
  if (connection) deadline.connection = connection;
  return deadline;
}

/** The same time, whether the caller stays or leaves. */
export const untied = (deadline: Deadline): Deadline => ({
  get signal() {
    return deadline.signal;
  },
  remainingMs: deadline.remainingMs,
  clear: deadline.clear,
});

export const isGone = ({ connection }: Patience): boolean => connection?.destroyed === true;

/** For the record: nobody reads the answer. */
export const toGoneProblem = (): ProblemError =>
  new ProblemError('upstream_timeout', 'The caller left before anything was done.');

/** Waits for it, but no longer than the caller does. */
export function whileHere(waiting: Promise<void>, { connection }: Patience): Promise<void> {
  if (!connection) return waiting;
  if (connection.destroyed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const leave = () => resolve();
    connection.once('close', leave);
    waiting.then(resolve, reject).finally(() => connection.off('close', leave));
  });
}
