import type { TestContext } from 'node:test';
import type { GraphOptions } from '../../../sandbox/graph.ts';
import { createRedisServer, type RedisServer } from '../../limits/redis-server.ts';
import { startSandbox, type Sandbox } from '../../support/sandbox.ts';
import { startService, type Service, type ServiceOptions } from '../../support/service.ts';

export type Replicas = Readonly<{
  one: Service;
  two: Service;
  sandbox: Sandbox;
  redis: RedisServer;
  /** Graph's answers on this path, which it has given already, do not get to the replicas until the returned function is called. */
  hold: (path: string) => () => void;
}>;

export type ReplicasOptions = Readonly<{
  environment?: Readonly<Record<string, string>>;
  graph?: Pick<GraphOptions, 'quota'>;
  limits?: ServiceOptions['limits'];
}>;

const UNLIMITED = Object.fromEntries(
  ['ADDRESS', 'USER', 'CLIENT', 'TENANT', 'PROFILE', 'GRAPH'].map((tier) => [`RATE_LIMIT_${tier}`, 'off']),
);

/** Two services that share one Redis and stand before one sandbox. Nothing is limited but what the environment says. */
export async function startReplicas(
  t: TestContext,
  { environment = {}, graph = {}, limits = {} }: ReplicasOptions = {},
): Promise<Replicas> {
  const [redis, sandbox] = await Promise.all([
    createRedisServer(),
    startSandbox({ graph: { quota: 'off', ...graph } }),
  ]);
  const held = new Map<string, Promise<void>>();
  const start = () =>
    startService(t, {
      sandbox,
      limits,
      wrap: {
        send: (send) => async (request) => {
          const answer = await send(request);
          await held.get(request.url);
          return answer;
        },
        append: (append) => append,
      },
      environment: { ...UNLIMITED, REDIS_URL: redis.url.reveal(), ...environment },
    });
  const [one, two] = await Promise.all([start(), start()]);
  t.after(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([sandbox.close(), redis.close()]);
  });
  const hold = (path: string) => {
    const { promise, resolve } = createDeferred();
    held.set(sandbox.graph.url + path, promise);
    return resolve;
  };
  return { one, two, sandbox, redis, hold };
}

function createDeferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
