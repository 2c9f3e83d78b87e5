import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Secret } from '../../src/secret.ts';

/** The reason to skip a test that needs a real Redis; `false` where there is one. */
export const NO_REDIS: string | false =
  spawnSync('redis-server', ['--version']).error === undefined
    ? false
    : 'redis-server is not installed (Debian package redis-server)';

export type RedisServer = Readonly<{
  port: number;
  url: Secret;
  /** A client that waits for the server. */
  admin: Redis;
  start: () => Promise<void>;
  kill: (signal: NodeJS.Signals) => Promise<void>;
  close: () => Promise<void>;
}>;

export type RedisServerOptions = Readonly<{
  /** Not started yet. */
  absent?: boolean;
  /** More options of redis-server. */
  args?: readonly string[];
  /** A configuration file. */
  config?: string;
}>;

/** A redis-server of the test's own, on a free port of loopback. */
export async function createRedisServer({
  absent = false,
  args = [],
  config,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-test-'));
  const port = await findFreePort();
  const busPort = args.includes('--cluster-enabled') ? ['--cluster-port', String(await findFreePort())] : [];
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    lazyConnect: true,
  });
  admin.on('error', () => {});
  let server: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const options = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
      ...busPort,
      ...args,
    ];
    server = spawn('redis-server', config === undefined ? options : [config, ...options], {
      stdio: 'ignore',
    });
    if (admin.status === 'wait') await admin.connect().catch(() => {});
    await admin.ping();
  };

  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = signal === 'SIGKILL' ? once(server, 'exit') : undefined;
    server.kill(signal);
    await exited;
  };

  if (!absent) await start();
  return {
    port,
    url: new Secret(`redis://127.0.0.1:${port}`),
    admin,
    start,
    kill,
    close: async () => {
      admin.disconnect();
      await kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Beneath those that systems give to whoever asks for any port, or connects. */
const PORTS = { from: 10_000, count: 20_000, perProcess: 100 };
let drawn = 0;

/**
 * Of loopback, and left alone by others until the test ends, also while no server listens there: each test process draws from
 * ports of its own.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + ((process.pid * PORTS.perProcess + drawn) % PORTS.count);
    drawn += 1;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
