import { ProblemError } from '../errors.ts';
import { createBlockedUntil, type BlockedUntil } from './blocked-until.ts';
import { createGraphBudget, type GraphBudget } from './graph-budget.ts';

/** How a request to Graph that had been let through ended, as far as throttling goes. */
export type GraphAnswer =
  /** Graph answered anything but a throttling, or nothing. */
  | Readonly<{ kind: 'answered' }>
  /** It never went out. */
  | Readonly<{ kind: 'unsent' }>
  /** 429, or 503 that says so; with the seconds from the header or from Intune's nested `RetryAfter`, if named. */
  | Readonly<{ kind: 'throttled'; retryAfterSeconds?: number }>;

/** A request that was let through. Must be settled, whatever happens; only the first time counts. */
export type GraphPassage = Readonly<{ probe: boolean; settle: (answer: GraphAnswer) => Promise<void> }>;

export type GraphThrottle = Readonly<{
  /** Lets a request to Graph through, or throws ProblemError `graph_throttled` with the seconds left. */
  admit: (tenantId: string) => Promise<GraphPassage>;
}>;

export type GraphThrottleOptions = Readonly<{
  blockedUntil?: BlockedUntil;
  /** This process' own; one that replicas share is shrunk where the block is shared. */
  budget?: GraphBudget;
}>;

/** What Graph's own refusals mean for the requests that follow: a common pause, one probe, a smaller budget. */
export function createGraphThrottle({
  blockedUntil = createBlockedUntil(),
  budget = createGraphBudget(),
}: GraphThrottleOptions = {}): GraphThrottle {
  const settle = async (tenant: string, probe: boolean, answer: GraphAnswer): Promise<void> => {
    if (answer.kind === 'throttled') {
      const { retryAfterSeconds } = answer;
      const throttled = retryAfterSeconds === undefined ? { probe } : { probe, retryAfterSeconds };
      const isNews = await blockedUntil.block(tenant, throttled);
      if (isNews || probe) budget.shrink(tenant);
      return;
    }
    if (!probe) return;
    if (answer.kind === 'answered') await blockedUntil.open(tenant);
    else await blockedUntil.giveUpProbe(tenant);
  };

  return {
    admit: async (tenantId) => {
      const tenant = tenantId.toLowerCase(); // as the limits name it
      const entry = await blockedUntil.enter(tenant);
      if (entry.kind === 'blocked') {
        const { retryAfterSeconds } = entry;
        throw new ProblemError('graph_throttled', undefined, { retryAfterSeconds, costsNothing: true });
      }
      const probe = entry.kind === 'probe';
      let settled = false;
      return {
        probe,
        settle: async (answer) => {
          if (settled) return;
          settled = true;
          await settle(tenant, probe, answer);
        },
      };
    },
  };
}
