import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { SentenceError } from './sentence-error.ts';

export type ServiceProcess = Readonly<{
  baseUrl: string;
  adminUrl: string;
  /** Resolves with a sentence when the service ends without having been asked to. */
  ended: Promise<string>;
  /** Asks the service to stop, and waits until it has. */
  stop: () => Promise<void>;
}>;

const ROOT = join(import.meta.dirname, '../..');
const END_WITH_PARENT = new URL('./end-with-parent.ts', import.meta.url).href;
const START_TIMEOUT_MS = 30_000;
/** Longer than the service takes to finish what is under way. */
const STOP_TIMEOUT_MS = 35_000;
/** Lines, the latest: as many as there are settings that can be wrong. */
const MAX_COMPLAINTS = 50;

const LogLine = z.object({ level: z.string().optional(), message: z.string() });
const Listening = z.object({
  message: z.literal('listening'),
  listener: z.enum(['public', 'admin']),
  port: z.number(),
});

type Options = Readonly<{
  environment: Readonly<Record<string, string>>;
  logFile: string;
  /** Told of warnings and errors that the service logs. */
  onWarning: (message: string) => void;
  /** Ends the wait for a service that does not become ready. */
  signal: AbortSignal;
}>;

/** Runs `src/main.ts` in a process of its own, and resolves once it is ready. Throws a SentenceError if it never is. */
export async function startServiceProcess(options: Options): Promise<ServiceProcess> {
  const { environment, logFile, onWarning, signal } = options;
  const preloads = ['--import', 'tsx', '--import', END_WITH_PARENT];
  const child = spawn(process.execPath, [...preloads, 'src/main.ts'], {
    cwd: ROOT,
    env: environment,
    stdio: 'pipe',
    // In a group of its own, so that a Ctrl-C reaches only the sandbox, which then stops the service in order.
    detached: process.platform !== 'win32',
  });
  const log = createWriteStream(logFile, { mode: 0o600 });
  const ports = new Map<string, number>();
  const complaints: string[] = [];
  let stopping = false;
  let over = false;

  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    const json = readJson(line);
    const listening = Listening.safeParse(json).data;
    if (listening) ports.set(listening.listener, listening.port);
    const { level, message } = LogLine.safeParse(json).data ?? {};
    if (message !== undefined && (level === 'warn' || level === 'error')) onWarning(message);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.write(`${line}\n`);
    if (line.trim() === '' || /^\s+at /.test(line)) return;
    complaints.push(line.trim());
    if (complaints.length > MAX_COMPLAINTS) complaints.shift();
  });

  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`The service could not be started: ${error.message}.`));
    child.once('close', (code, signalName) => {
      log.end();
      const how = signalName === null ? `exit status ${code}` : signalName;
      resolve(`The service ended (${how})${toTold(complaints)}`);
    });
  });
  void ended.then(() => (over = true));
  const stop = async (): Promise<void> => {
    stopping = true;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(late);
  };

  const toUrl = (listener: string): string => `http://127.0.0.1:${ports.get(listener) ?? 0}`;
  const becomeReady = async (): Promise<undefined> => {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(ports.size === 2 && (await isReady(`${toUrl('admin')}/readyz`)))) {
      if (signal.aborted || over) return;
      if (Date.now() > deadline)
        throw new SentenceError(`The service was not ready within ${START_TIMEOUT_MS / 1000} seconds.`);
      await wait(20);
    }
  };

  try {
    const sentence = await Promise.race([becomeReady(), ended]);
    if (sentence !== undefined) throw new SentenceError(sentence);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    baseUrl: toUrl('public'),
    adminUrl: toUrl('admin'),
    ended: ended.then((sentence) => (stopping ? new Promise<never>(() => undefined) : sentence)),
    stop,
  };
}

/** Behind a sentence: one complaint on its line, several each on one of its own. */
function toTold(complaints: readonly string[]): string {
  const [first, ...others] = complaints;
  if (first === undefined) return '.';
  return others.length === 0 ? `: ${first}` : `:\n${complaints.map((line) => `  ${line}`).join('\n')}`;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
