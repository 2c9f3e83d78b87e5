import type { Secret } from '../secret.ts';

export type RedisNode = Readonly<{ host: string; port: number }>;

/** Where Redis is, as REDIS_URL says. The password stays inside. */
export type RedisTarget = Readonly<{
  kind: 'single' | 'sentinel' | 'cluster';
  tls: boolean;
  /** The server; the sentinels; or nodes of the cluster to begin with. */
  nodes: readonly [RedisNode, ...RedisNode[]];
  username?: string;
  password?: string;
  database?: number;
  /** The name by which the sentinels know the master. */
  master?: string;
}>;

const SHAPE =
  /^(?<scheme>rediss?)(?:-(?<kind>sentinel|cluster))?:\/\/(?:(?<username>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<nodes>[^@/?#]+)(?:\/(?<database>\d*))?(?:#(?<master>[^#]+))?$/;

const DEFAULT_PORTS = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS. With `-sentinel` or `-cluster` after the scheme several
 * hosts may stand there, separated by commas; Sentinel ends with `#master-name`. Throws a RangeError that does not repeat the value.
 */
export function parseRedisUrl(url: Secret): RedisTarget {
  const parts = SHAPE.exec(url.reveal())?.groups;
  if (parts === undefined) {
    throw new RangeError(
      'REDIS_URL must be redis[s][-sentinel|-cluster]://[[user]:password@]host[:port][/database]',
    );
  }
  const kind = parts['kind'] === 'sentinel' || parts['kind'] === 'cluster' ? parts['kind'] : 'single';
  const [first, ...others] = (parts['nodes'] ?? '')
    .split(',')
    .map((text) => parseNode(text, DEFAULT_PORTS[kind]));
  if (first === undefined || (kind === 'single' && others.length > 0)) {
    throw new RangeError(
      'REDIS_URL names several hosts, which needs the scheme redis-sentinel or redis-cluster',
    );
  }
  const master = parts['master'];
  if ((kind === 'sentinel') !== (master !== undefined)) {
    throw new RangeError('REDIS_URL must end with #master-name for redis-sentinel, and only for it');
  }
  const database = parts['database'];
  if (kind === 'cluster' && Number(database ?? 0) !== 0) {
    throw new RangeError('REDIS_URL names a database, which a cluster does not have');
  }
  return {
    kind,
    tls: parts['scheme'] === 'rediss',
    nodes: [first, ...others],
    ...(parts['username'] && { username: decode(parts['username']) }),
    ...(parts['password'] && { password: decode(parts['password']) }),
    ...(database && { database: Number(database) }),
    ...(master !== undefined && { master }),
  };
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const { host, port } = /^(?<host>\[[\da-f:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?$/i.exec(text)?.groups ?? {};
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw new RangeError('REDIS_URL must name its hosts as host or host:port');
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('REDIS_URL holds a user or password that is not percent-encoded');
  }
}
