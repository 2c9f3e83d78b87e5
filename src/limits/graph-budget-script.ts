import { ASKING_MS, GROW_MS, MAX_COST } from './graph-budget.ts';
import { REDIS_PREFIX } from './redis-connection.ts';

/** Where the replicas keep the terms of a tenant's budget at Graph. */
export function toBudgetKey(tenant: string): string {
  return `${REDIS_PREFIX}graph-budget:${tenant}`;
}

/** Long enough for a budget to be whole again. */
const LIFETIME_MS = Math.max(ASKING_MS, GROW_MS * MAX_COST);

/** Lua: graph-budget.ts over all replicas, one hash a tenant. */
export const GRAPH_BUDGET = `
local function read_cost(cost, since, now_ms)
  if not cost then return 1 end
  local steps = math.min(math.floor((now_ms - since) / ${GROW_MS}), cost - 1)
  return cost - math.max(steps, 0)
end

local function ask_budget(key, application, now_ms)
  local budget = redis.call('HMGET', key, 'cost', 'cost_since', 'latest', 'latest_at', 'other_at')
  local latest, other_at = budget[3], budget[5]
  if latest and latest ~= application then
    other_at = budget[4]
    redis.call('HSET', key, 'other_at', other_at)
  end
  redis.call('HSET', key, 'latest', application, 'latest_at', string.format('%.0f', now_ms))
  redis.call('PEXPIRE', key, ${LIFETIME_MS})
  local cost = read_cost(tonumber(budget[1]), tonumber(budget[2]), now_ms)
  return cost, other_at and now_ms - other_at < ${ASKING_MS}
end

local function shrink_budget(key, now_ms)
  local budget = redis.call('HMGET', key, 'cost', 'cost_since')
  local cost = read_cost(tonumber(budget[1]), tonumber(budget[2]), now_ms)
  redis.call('HSET', key, 'cost', math.min(cost * 2, ${MAX_COST}), 'cost_since', string.format('%.0f', now_ms))
  redis.call('PEXPIRE', key, ${LIFETIME_MS})
end
`;
