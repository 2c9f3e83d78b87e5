/** On what terms the tenant's budget for writes at Graph is given. */
export type GraphTerms = Readonly<{
  /** What one write is charged: 1 while Graph keeps to its published quota, more while it throttles below it. */
  cost: number;
  /** Whether another application of the tenant has asked lately, so that the share of each is enforced. */
  othersAsking: boolean;
}>;

export type GraphBudget = Readonly<{
  /** The terms for a write that this application asks for now. */
  ask: (tenantId: string, clientId: string) => GraphTerms;
  /** Graph throttled although the budget was kept (other applications share the tenant's quota): halves the budget. */
  shrink: (tenantId: string) => void;
}>;

export type GraphBudgetOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** How long an application counts as asking. */
  askingMs?: number;
  /** How long the budget stays before it grows by one step (an eighth, a seventh, … a half, the whole). */
  growMs?: number;
}>;

type Asked = Readonly<{ clientId: string; at: number }>;
type Budget = { cost: number; costSince: number; latest?: Asked; latestOther?: Asked };

/** An eighth of the budget is always left: without any request there would be no news of Graph's recovery. */
const MAX_COST = 8;

/** Multiplicative decrease, slow growth, per tenant. Tenants are few: only those that the settings allow get here. */
export function createGraphBudget({
  now = Date.now,
  askingMs = 20_000,
  growMs = 60_000,
}: GraphBudgetOptions = {}): GraphBudget {
  const budgets = new Map<string, Budget>();

  const readBudget = (tenantId: string): Budget => {
    const budget = budgets.get(tenantId) ?? { cost: 1, costSince: now() };
    budgets.set(tenantId, budget);
    const steps = Math.min(Math.floor((now() - budget.costSince) / growMs), budget.cost - 1);
    if (steps > 0) {
      budget.cost -= steps;
      budget.costSince += steps * growMs;
    }
    return budget;
  };

  return {
    ask: (tenantId, clientId) => {
      const budget = readBudget(tenantId);
      if (budget.latest !== undefined && budget.latest.clientId !== clientId) {
        budget.latestOther = budget.latest;
      }
      budget.latest = { clientId, at: now() };
      const other = budget.latestOther;
      return { cost: budget.cost, othersAsking: other !== undefined && now() - other.at < askingMs };
    },
    shrink: (tenantId) => {
      const budget = readBudget(tenantId);
      budget.cost = Math.min(budget.cost * 2, MAX_COST);
      budget.costSince = now();
    },
  };
}
