import { createRedisScript, REDIS_PREFIX, type RunScript } from './redis-connection.ts';

const PROBE_SCRIPT = createRedisScript(`redis.call('SET', KEYS[1], '1', 'PX', 1000) return 1`);

/** Tries a write: a Redis that only answers (read-only, full, loading) is of no use to the limits. */
export function createRedisProbe(run: RunScript): () => Promise<void> {
  return async () => void (await run(PROBE_SCRIPT, [`${REDIS_PREFIX}probe`], []));
}
