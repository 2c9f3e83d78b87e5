import { DECIDE_SCRIPT } from './gcra-script.ts';
import { toBudgetKey } from './graph-budget-script.ts';
import { REDIS_PREFIX, type RunScript } from './redis-connection.ts';

/**
 * Tries a decision on keys of its own: a Redis that cannot make one (read-only, full, loading, or a user who lacks a command) is of
 * no use to the limits, though it answers. The limit is one in a millisecond.
 */
export function createRedisProbe(run: RunScript): () => Promise<void> {
  const keys = [`${REDIS_PREFIX}line:probe`, toBudgetKey('probe')];
  return async () => void (await run(DECIDE_SCRIPT, keys, ['', 'probe', 1, 1, 1, 1, 'yes']));
}
