import { randomUUID } from 'node:crypto';
import { link, open, readdir, unlink } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';

/** Another process writes to this directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly directory: string;
  /** As the holder knows itself, in its own process namespace; absent when it did not answer. */
  readonly pid: number | undefined;

  constructor(directory: string, holder: Holder) {
    const who = holder.pid === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
    super(
      `the audit directory ${directory} is in use by ${who}; every instance needs an audit directory of its own`,
    );
    this.directory = directory;
    this.pid = holder.pid;
  }
}

export type DirectoryLock = Readonly<{ release: () => Promise<void> }>;

type Holder = Readonly<{ pid?: number; host?: string }>;

/** A socket address holds 108 bytes on Linux, 104 elsewhere, terminating zero included. */
const MAX_SOCKET_PATH = 103;
/** For the name of the holder only: that it is held is known from the connection. A machine that is busy, too, tells who it is. */
const ANSWER_WITHIN_MS = 2000;
const MAX_ROUNDS = 100;

/**
 * Takes the directory for this process until `release` or the end of the process, however it ends. The lock is a
 * listening Unix socket under the highest-numbered name `.lock-N`: it is held as long as it can be connected to.
 * Rejects with {@link DirectoryLockedError}. Why so: docs/decisions/audit-lock.md.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const handle = await open(directory);
  const address = (name: string): string => {
    const path = join(directory, name);
    return Buffer.byteLength(path) <= MAX_SOCKET_PATH ? path : `/proc/self/fd/${handle.fd}/${name}`;
  };
  try {
    const server = await acquire(directory, address);
    return {
      release: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
        }),
    };
  } finally {
    // A socket that listens needs its address no more.
    await handle.close();
  }
}

async function acquire(directory: string, address: (name: string) => string): Promise<Server> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const highest = await readHighest(directory);
    if (highest > 0) {
      const holder = await readHolder(address(toLockName(highest)));
      if (holder !== undefined) throw new DirectoryLockedError(directory, holder);
    }
    const own = `.lock-${randomUUID()}`;
    const server = await listen(address(own));
    // From here on the socket answers, so whoever finds its number finds it alive.
    if (await wins(directory, own, highest + 1)) return server;
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
  throw new DirectoryLockedError(directory, {});
}

/** Puts the socket under the next number; `link` refuses if that is taken. A higher one by then means: too late. */
async function wins(directory: string, own: string, number: number): Promise<boolean> {
  const name = toLockName(number);
  const linked = await link(join(directory, own), join(directory, name)).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'EEXIST', 'ENOENT')) return false;
      throw error;
    },
  );
  await unlink(join(directory, own)).catch(() => undefined);
  if (!linked) return false;
  if ((await readHighest(directory)) !== number) {
    await unlink(join(directory, name)).catch(() => undefined);
    return false;
  }
  await removeOthers(directory, name);
  return true;
}

/** What lies below the highest number is stale by definition. The highest itself is never removed, not even at the end. */
async function removeOthers(directory: string, name: string): Promise<void> {
  const names = await readdir(directory);
  const others = names.filter((other) => parseLockNumber(other) > 0 && other < name);
  await Promise.all(others.map((other) => unlink(join(directory, other)).catch(() => undefined)));
}

async function readHighest(directory: string): Promise<number> {
  return Math.max(0, ...(await readdir(directory)).map(parseLockNumber));
}

function toLockName(number: number): string {
  return `.lock-${String(number).padStart(9, '0')}`;
}

function parseLockNumber(name: string): number {
  return Number(/^\.lock-(\d{9})$/.exec(name)?.[1] ?? 0);
}

function listen(path: string): Promise<Server> {
  const answer = JSON.stringify({ pid, host: hostname() });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(answer);
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      resolve(server);
    });
  });
}

/** Who listens there; `undefined` only when it is certain that nobody does. */
function readHolder(path: string): Promise<Holder | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', (error) => {
      resolve(hasCode(error, 'ECONNREFUSED', 'ENOENT') ? undefined : {});
    });
    socket.on('close', () => {
      resolve(parseHolder(answer));
    });
  });
}

function parseHolder(answer: string): Holder {
  try {
    const { pid, host }: { pid?: unknown; host?: unknown } = JSON.parse(answer);
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : {};
  } catch {
    return {};
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
