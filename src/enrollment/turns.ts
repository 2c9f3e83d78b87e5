import { ProblemError } from '../errors.ts';

/** Runs what is given under one key one after the other, in the order it came. */
export type Turns = <Result>(key: string, signal: AbortSignal, run: () => Promise<Result>) => Promise<Result>;

/**
 * One turn at a time for each key. Who waits past the deadline gets ProblemError `upstream_timeout`: nothing was done for it.
 */
export function createTurns(): Turns {
  const tails = new Map<string, Promise<void>>();

  return async (key, signal, run) => {
    const before = tails.get(key);
    let finish = () => {};
    const mine = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tail = before ? before.then(() => mine) : mine;
    tails.set(key, tail);
    const forget = () => {
      if (tails.get(key) === tail) tails.delete(key);
    };
    let isMine = before === undefined;
    try {
      if (before) await untilAborted(before, signal);
      isMine = true;
      return await run();
    } finally {
      finish();
      // Whoever gave up still has the others before it: the next to come must see them.
      if (isMine) forget();
      else void tail.then(forget);
    }
  };
}

const untilAborted = (turn: Promise<void>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const giveUp = () => reject(new ProblemError('upstream_timeout'));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    void turn.then(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
  });
