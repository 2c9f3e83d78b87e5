import type { Metrics } from './admin/metrics.ts';
import type { CountExpiring } from './enrollment/expiring-tokens.ts';
import type { Logger } from './log.ts';

type ExpiryWatchOptions = Readonly<{
  count: CountExpiring;
  intervalSeconds: number;
  metrics: Pick<Metrics, 'tokensExpiring'>;
  log: Logger;
}>;

/** Counts the tokens about to expire now and at every interval, one round at a time, until `stop`. */
export function startExpiryWatch(options: ExpiryWatchOptions): Readonly<{ stop: () => void }> {
  const { count, intervalSeconds, metrics, log } = options;
  const stopping = new AbortController();
  let counting = false;

  const runRound = async (): Promise<void> => {
    if (counting) return;
    counting = true;
    try {
      for (const [set, expiring] of Object.entries(await count(stopping.signal))) {
        metrics.tokensExpiring(set, expiring);
      }
    } catch (error) {
      if (!stopping.signal.aborted) log.warn('the tokens about to expire could not be counted', { error });
    } finally {
      counting = false;
    }
  };

  const timer = setInterval(() => void runRound(), intervalSeconds * 1000).unref();
  void runRound();
  return {
    stop: () => {
      clearInterval(timer);
      stopping.abort();
    },
  };
}
