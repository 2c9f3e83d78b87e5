import { ProblemError } from '../errors.ts';
import { isGone, toGoneProblem, type Patience } from './deadline.ts';

/** Runs what is given under one key one after the other, in the order it came. */
export type Turns = <Result>(key: string, patience: Patience, run: () => Promise<Result>) => Promise<Result>;

/**
 * One turn at a time for each key. Who waits past the deadline, or leaves, gets ProblemError `upstream_timeout`: nothing was done for it.
 */
export function createTurns(): Turns {
  const tails = new Map<string, Promise<void>>();
  const forget = (key: string, tail: Promise<void>): void => {
    if (tails.get(key) === tail) tails.delete(key);
  };

  return async (key, patience, run) => {
    const before = tails.get(key);
    let finish = () => {};
    const mine = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tail = before ? before.then(() => mine) : mine;
    tails.set(key, tail);
    let isMine = before === undefined;
    try {
      if (before) await untilTired(before, patience);
      isMine = true;
      return await run();
    } finally {
      finish();
      // Whoever gave up still has the others before it: the next to come must see them.
      if (isMine) forget(key, tail);
      else void tail.then(() => forget(key, tail));
    }
  };
}

const untilTired = (turn: Promise<void>, patience: Patience): Promise<void> =>
  new Promise((resolve, reject) => {
    const { signal, connection } = patience;
    const giveUp = () => {
      stopListening();
      reject(isGone(patience) ? toGoneProblem() : new ProblemError('upstream_timeout'));
    };
    const stopListening = () => {
      signal.removeEventListener('abort', giveUp);
      connection?.off('close', giveUp);
    };
    if (signal.aborted || isGone(patience)) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    connection?.once('close', giveUp);
    void turn.then(() => {
      stopListening();
      resolve();
    });
  });
