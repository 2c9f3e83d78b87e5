import { createRedisScript, type RedisScript, type RunScript } from '../../src/limits/redis-connection.ts';

/** Redis lets keys expire by its own clock, whatever the clock of a test says: here a day late, so that no pause of a busy machine shows. */
export function withLastingKeys(run: RunScript): RunScript {
  const lasting = new Map<RedisScript, RedisScript>();
  return (script, ...rest) => {
    const known =
      lasting.get(script) ?? createRedisScript(script.lua.replace("'PX', ttl", "'PX', ttl + 86400000"));
    lasting.set(script, known);
    return run(known, ...rest);
  };
}
