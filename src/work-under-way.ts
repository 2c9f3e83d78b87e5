/** Counts what a stop has to wait for. */
export type WorkUnderWay = Readonly<{
  track: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Resolves when nothing is under way, or after `milliseconds`; `false` in the latter case. */
  idle: (milliseconds: number) => Promise<boolean>;
}>;

export function createWorkUnderWay(): WorkUnderWay {
  const running = new Set<Promise<unknown>>();

  return {
    track: (work) => {
      running.add(work);
      const end = () => {
        running.delete(work);
      };
      work.then(end, end);
      return work;
    },
    idle: async (milliseconds) => {
      let timer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, milliseconds, false);
      });
      const done = async () => {
        while (running.size > 0) await Promise.allSettled(running);
        return true;
      };
      try {
        return await Promise.race([done(), timeUp]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
