export type Clock = Readonly<{
  /** Milliseconds since the epoch. */
  now: () => number;
  advance: (milliseconds: number) => void;
}>;

export const SECOND = 1000;
export const HOUR = 3600 * SECOND;

/** A clock that moves only when it is told to; it begins at the present, where the certificates of the sandbox are valid. */
export function createClock(start = Date.now()): Clock {
  let time = start;
  return {
    now: () => time,
    advance: (milliseconds) => {
      time += milliseconds;
    },
  };
}
