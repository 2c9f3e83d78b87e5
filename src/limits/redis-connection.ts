import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Secret } from '../secret.ts';
import { withDeadline } from './deadline.ts';
import { ignore, outliveErrors } from './outlive-errors.ts';
import { parseRedisUrl, type RedisTarget } from './redis-target.ts';

/** A Lua script and the SHA-1 by which Redis knows it once loaded. */
export type RedisScript = Readonly<{ lua: string; sha: string }>;

/** Runs a script in one round trip. Rejects within the deadline, whatever state Redis is in. */
export type RunScript = (
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
  /** Told of an answer that came after the deadline: what the script did stands. */
  onLate?: (reply: unknown) => void,
) => Promise<unknown>;

export type RedisConnection = Readonly<{
  run: RunScript;
  /** Resolves when Redis can be used, or after the time: it need not be there for the service to start. */
  ready: (timeoutMs: number) => Promise<void>;
  close: () => void;
}>;

export type RedisConnectionOptions = Readonly<{
  url: Secret;
  /** Milliseconds for one `run`. */
  deadlineMs?: number;
}>;

/** Redis' keys share this hash tag, so that in a cluster they live in one slot and one script may touch several. */
export const REDIS_PREFIX = '{enrollment-token-bff}:';

export function createRedisScript(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Connects at once and again for as long as it lives, at least once a second. Throws a RangeError for a URL it cannot read. */
export function createRedisConnection({ url, deadlineMs = 50 }: RedisConnectionOptions): RedisConnection {
  const client = createClient(parseRedisUrl(url), deadlineMs);
  client.on('error', ignore); // every failure shows in `run`

  const evaluate = async (
    { lua, sha }: RedisScript,
    parameters: readonly (string | number)[],
    keys: number,
  ) => {
    try {
      return await client.evalsha(sha, keys, ...parameters);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await client.eval(lua, keys, ...parameters); // which also loads it
    }
  };

  return {
    run: (script, keys, args, onLate) =>
      withDeadline(evaluate(script, [...keys, ...args], keys.length), deadlineMs, onLate),
    ready: async (timeoutMs) => {
      if (client.status === 'ready') return;
      const ready = new Promise<void>((resolve) => void client.once('ready', resolve));
      await withDeadline(ready, timeoutMs).catch(ignore);
    },
    close: () => client.disconnect(),
  };
}

function createClient(target: RedisTarget, deadlineMs: number): Redis | Cluster {
  outliveErrors();
  const { kind, tls, nodes } = target;
  const options = toOptions(target, deadlineMs);
  // Each node proves its own name: a `servername` here would be asked of all of them.
  const anyNode = tls ? { ...options, tls: {} } : options;
  switch (kind) {
    case 'single':
      return createSingle(options, target);
    case 'sentinel':
      return createForSentinels(anyNode, target);
    case 'cluster':
      return new Cluster([...nodes], {
        redisOptions: anyNode,
        enableOfflineQueue: false,
        clusterRetryStrategy: toRetryDelay,
        // The names as they are: they stand in the certificates, their addresses do not.
        ...(tls && { dnsLookup: (host, callback) => callback(null, host) }),
      });
  }
}

function createSingle(options: CommonOptions, { tls, nodes: [node] }: RedisTarget): Redis {
  const { host, port } = node;
  const name = isIP(host) === 0 ? { servername: host } : {};
  return new Redis({ ...options, host, port, ...(tls && { tls: name }), retryStrategy: toRetryDelay });
}

/**
 * Sentinels may ask for the password that Redis asks for, and those that do not may refuse whoever gives one. So whenever none of
 * them was of use they are asked the other way, without it to begin with.
 */
function createForSentinels(options: CommonOptions, target: RedisTarget): Redis {
  const { tls, nodes, master, username = '', password = '' } = target;
  let isKnown = false;
  const client = new Redis({
    ...options,
    sentinels: [...nodes],
    ...(master !== undefined && { name: master }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    retryStrategy: toRetryDelay,
    sentinelRetryStrategy: (attempt) => {
      isKnown = !isKnown;
      client.options.sentinelUsername = isKnown ? username : '';
      client.options.sentinelPassword = isKnown ? password : '';
      return toRetryDelay(attempt);
    },
  });
  return client;
}

type CommonOptions = ReturnType<typeof toOptions>;

function toOptions({ username, password, database }: RedisTarget, deadlineMs: number) {
  return {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 1000,
    socketTimeout: Math.max(1000, deadlineMs), // a peer that vanished without a word; counted only while an answer is owed
    reconnectOnError: (error) => error.message.startsWith('READONLY'), // the master has become a replica: find the new one
    protocol: 2,
    connectionName: 'enrollment-token-bff',
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { db: database }),
  } satisfies RedisOptions;
}

/** Milliseconds until the next attempt. */
function toRetryDelay(attempt: number): number {
  return Math.min(attempt * 100, 1000);
}
