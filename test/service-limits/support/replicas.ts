import type { TestContext } from 'node:test';
import type { GraphOptions } from '../../../sandbox/graph.ts';
import { OutboundError } from '../../../src/outbound-error.ts';
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
  /** The next request on this path seems lost to who sent it, and gets to Graph when the returned function is called. */
  delay: (path: string) => () => void;
}>;

export type ReplicasOptions = Readonly<{
  environment?: Readonly<Record<string, string>>;
  graph?: Pick<GraphOptions, 'quota'>;
  limits?: ServiceOptions['limits'];
}>;

const UNLIMITED = Object.fromEntries(
  ['ADDRESS', 'USER', 'CLIENT', 'TENANT', 'PROFILE', 'GRAPH'].map((tier) => [`RATE_LIMIT_${tier}`, 'off']),
);

/** Nothing here is about deadlines, and a busy machine takes its time. */
export const PATIENT = {
  UPSTREAM_TIMEOUT_MS: '40000',
  REQUEST_DEADLINE_MS: '50000',
  SHUTDOWN_GRACE_MS: '60000',
};

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
  const delayed = new Map<string, Promise<void>>();
  const start = () =>
    startService(t, {
      sandbox,
      limits,
      wrap: {
        send: (send) => async (request) => {
          const later = delayed.get(request.url);
          if (later) {
            delayed.delete(request.url);
            const { signal: _, ...rest } = request;
            void later.then(() => send(rest));
            throw new OutboundError('lost', 'timeout');
          }
          const answer = await send(request);
          await held.get(request.url);
          return answer;
        },
        append: (append) => append,
      },
      environment: { ...UNLIMITED, ...PATIENT, REDIS_URL: redis.url.reveal(), ...environment },
    });
  const [one, two] = await Promise.all([start(), start()]);
  t.after(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([sandbox.close(), redis.close()]);
  });
  const put = (into: Map<string, Promise<void>>) => (path: string) => {
    const { promise, resolve } = createDeferred();
    into.set(sandbox.graph.url + path, promise);
    return resolve;
  };
  return { one, two, sandbox, redis, hold: put(held), delay: put(delayed) };
}

function createDeferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
