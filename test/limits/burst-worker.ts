// A replica of its own: takes `{key, requests}` from its parent, asks for them all at once, and answers how many passed.
import { createRedisConnection } from '../../src/limits/redis-connection.ts';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import { Secret } from '../../src/secret.ts';
import { BURST_LIMITS, toBurstKeys } from './burst.ts';

const { run, ready } = createRedisConnection({
  url: new Secret(process.argv[2] ?? ''),
  deadlineMs: 10_000, // what is tested is exactness, on a machine that may be busy
});
const limiter = createRedisLimiter({ limits: BURST_LIMITS, run });
await ready(10_000);
process.send?.('ready');

process.on('message', ({ key, requests }: { key: string; requests: number }) => {
  const decisions = Array.from({ length: requests }, () => limiter.decide(toBurstKeys(key)));
  void Promise.all(decisions).then((all) =>
    process.send?.(all.filter(({ refusedBy }) => refusedBy.length === 0).length),
  );
});
