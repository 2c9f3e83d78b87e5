import { spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Where things run: the server that is measured alone on one core, load and upstream on the other. */
export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

export type RunningProcess = Readonly<{ pid: number; stop: () => Promise<void> }>;

export type Command = Readonly<{
  command: readonly [string, ...string[]];
  environment?: Readonly<Record<string, string>>;
  core: string;
  /** Takes what it prints: a file costs every server the same, a write a line. */
  outputFile: string;
  port: number;
}>;

const START_MS = 30_000;
const STOP_MS = 5000;

/** Whether a program is installed. */
export const isInstalled = (program: string): boolean =>
  spawnSync('which', [program], { stdio: 'ignore' }).status === 0;

export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Starts a pinned process and waits until its port accepts connections. */
export async function startProcess({
  command,
  environment,
  core,
  outputFile,
  port,
}: Command): Promise<RunningProcess> {
  const output = openSync(outputFile, 'a', 0o600);
  const child = spawn('taskset', ['-c', core, ...command], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', output, output],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('taskset (of util-linux) is missing');
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  };

  const deadline = Date.now() + START_MS;
  while (!(await accepts(port))) {
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (isGone || Date.now() > deadline) {
      await stop();
      throw new Error(`${command.join(' ')} did not start: ${readFileSync(outputFile, 'utf8').slice(-1000)}`);
    }
    await wait(50);
  }
  return { pid, stop };
}
