/** On what terms the tenant's budget for writes at Graph is given. */
export type GraphTerms = Readonly<{
  /** What one write is charged: 1 while Graph keeps to its published quota, more while it throttles below it. */
  cost: number;
  /** Whether another application of the tenant has asked lately, so that the share of each is enforced. */
  othersAsking: boolean;
}>;

/** The terms while nobody else asks and Graph does not throttle. */
export const USUAL_TERMS: GraphTerms = { cost: 1, othersAsking: false };

/** In this process; graph-budget-script.ts is the same in Redis. */
export type GraphBudget = Readonly<{
  /** The terms for a write that this application asks for now. */
  ask: (tenant: string, application: string) => GraphTerms;
  /** What `ask` would say. Who only looks does not count as asking. */
  look: (tenant: string, application: string) => GraphTerms;
  /** Graph throttled although the budget was kept (other applications share the tenant's quota): halves the budget. */
  shrink: (tenant: string) => void;
}>;

export type GraphBudgetOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

type Budget = { cost: number; costSince: number; latest?: string; latestAt: number; otherAt: number };

/** How many milliseconds an application counts as asking. */
export const ASKING_MS = 20_000;
/** How many milliseconds the budget stays before it grows by one step (an eighth, a seventh, … a half, the whole). */
export const GROW_MS = 60_000;
/** An eighth of the budget is always left: without any request there would be no news of Graph's recovery. */
export const MAX_COST = 8;

/** Multiplicative decrease, slow growth, per tenant. Tenants are few: only those that the settings allow get here. */
export function createGraphBudget({ now = Date.now }: GraphBudgetOptions = {}): GraphBudget {
  const budgets = new Map<string, Budget>();

  const readBudget = (tenant: string, nowMs: number): Budget => {
    const known = budgets.get(tenant);
    if (known !== undefined) return known;
    const budget: Budget = { cost: 1, costSince: nowMs, latestAt: -Infinity, otherAt: -Infinity };
    budgets.set(tenant, budget);
    return budget;
  };

  return {
    ask: (tenant, application) => {
      const nowMs = now();
      const budget = readBudget(tenant, nowMs);
      budget.otherAt = readOtherAt(budget, application);
      budget.latest = application;
      budget.latestAt = nowMs;
      return toTerms(budget, application, nowMs);
    },
    look: (tenant, application) => {
      const budget = budgets.get(tenant);
      return budget === undefined ? USUAL_TERMS : toTerms(budget, application, now());
    },
    shrink: (tenant) => {
      const nowMs = now();
      const budget = readBudget(tenant, nowMs);
      budget.cost = Math.min(readCost(budget, nowMs) * 2, MAX_COST);
      budget.costSince = nowMs;
    },
  };
}

function toTerms(budget: Budget, application: string, nowMs: number): GraphTerms {
  return {
    cost: readCost(budget, nowMs),
    othersAsking: nowMs - readOtherAt(budget, application) < ASKING_MS,
  };
}

/** When another application than this one asked last. */
function readOtherAt({ latest, latestAt, otherAt }: Budget, application: string): number {
  return latest === undefined || latest === application ? otherAt : latestAt;
}

/** What is left of the cost, step by step, since Graph last throttled. */
function readCost({ cost, costSince }: Budget, nowMs: number): number {
  const steps = Math.min(Math.floor((nowMs - costSince) / GROW_MS), cost - 1);
  return cost - Math.max(steps, 0);
}
