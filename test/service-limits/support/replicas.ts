import type { TestContext } from 'node:test';
import type { GraphOptions } from '../../../sandbox/graph.ts';
import { createRedisServer, type RedisServer } from '../../limits/redis-server.ts';
import { startSandbox, type Sandbox } from '../../support/sandbox.ts';
import { startService, type Service } from '../../support/service.ts';

export type Replicas = Readonly<{ one: Service; two: Service; sandbox: Sandbox; redis: RedisServer }>;

export type ReplicasOptions = Readonly<{
  environment?: Readonly<Record<string, string>>;
  graph?: Pick<GraphOptions, 'quota'>;
}>;

const UNLIMITED = Object.fromEntries(
  ['ADDRESS', 'USER', 'CLIENT', 'TENANT', 'PROFILE', 'GRAPH'].map((tier) => [`RATE_LIMIT_${tier}`, 'off']),
);

/** Two services that share one Redis and stand before one sandbox. Nothing is limited but what the environment says. */
export async function startReplicas(
  t: TestContext,
  { environment = {}, graph = {} }: ReplicasOptions = {},
): Promise<Replicas> {
  const [redis, sandbox] = await Promise.all([
    createRedisServer(),
    startSandbox({ graph: { quota: 'off', ...graph } }),
  ]);
  const start = () =>
    startService(t, {
      sandbox,
      environment: { ...UNLIMITED, REDIS_URL: redis.url.reveal(), ...environment },
    });
  const [one, two] = await Promise.all([start(), start()]);
  t.after(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([sandbox.close(), redis.close()]);
  });
  return { one, two, sandbox, redis };
}

const MOST_TRIES = 4;

/**
 * The same for a test that Redis must not be late in: on a busy machine it is now and then, later than its 50 ms, and the replicas
 * then rightly go on by themselves. Such a run is no proof of anything and is done again.
 */
export async function whileShared(
  t: TestContext,
  options: ReplicasOptions,
  prove: (replicas: Replicas) => Promise<void>,
): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    const replicas = await startReplicas(t, options);
    try {
      return await prove(replicas);
    } catch (error) {
      const isLate = [replicas.one, replicas.two].some((service) =>
        service.logged().includes('Redis cannot be used'),
      );
      if (!isLate || tried === MOST_TRIES) throw error;
      t.diagnostic('Redis was late; once more');
    }
  }
}
