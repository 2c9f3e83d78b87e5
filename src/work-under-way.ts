/** Counts what a stop has to wait for. */
export type WorkUnderWay = Readonly<{
  /** Counts until the returned function is called. */
  begin: () => () => void;
  track: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Resolves when nothing is under way, or after `milliseconds`; `false` in the latter case. */
  idle: (milliseconds: number) => Promise<boolean>;
}>;

export function createWorkUnderWay(): WorkUnderWay {
  let running = 0;
  let waiting: (() => void)[] = [];

  const end = (): void => {
    running -= 1;
    if (running > 0) return;
    for (const tell of waiting) tell();
    waiting = [];
  };

  const begin = (): (() => void) => {
    running += 1;
    return end;
  };

  return {
    begin,
    track: (work) => {
      begin();
      work.then(end, end);
      return work;
    },
    idle: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds, false);
        const answer = (): void => {
          // What ended may have begun something else in the same turn.
          setImmediate(() => {
            if (running > 0) waiting.push(answer);
            else {
              clearTimeout(timer);
              resolve(true);
            }
          });
        };
        answer();
      }),
  };
}
