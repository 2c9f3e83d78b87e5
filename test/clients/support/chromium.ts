import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { waitUntil } from '../../support/wait-until.ts';

const directories = (process.env['PATH'] ?? '').split(delimiter);
const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => directories.map((directory) => join(directory, name)))
  .find((path) => existsSync(path));

/** Why there is no browser, or `false`. */
export const skipWithoutChromium =
  chromium === undefined ? 'chromium is not installed (Debian: apt-get install chromium)' : false;

/** For a browser to start and a page to be done on a machine that has much else to do. */
const PATIENCE_MS = 120_000;

const Message = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});
type Message = z.infer<typeof Message>;

/** What a page is heard by that has something to complain about, or writes to its console. */
const COMPLAINTS = new Set(['Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded']);

export type Page = Readonly<{
  /** The first value of an expression in the page that is neither empty nor false; fails when a script of the page failed before. */
  read: (expression: string) => Promise<unknown>;
  /** The value of an expression in the page as it is at the moment, or what its promise resolves with. */
  evaluate: (expression: string) => Promise<unknown>;
  /** Resolves with the first complaint of the page, or of the browser about it. */
  complaint: () => Promise<string>;
  complaints: readonly string[];
}>;

/** The DevTools protocol over the pipes 3 and 4 of a browser: JSON, ended by a null character. */
function createProtocol(input: Writable, output: Readable, onEvent: (message: Message) => void) {
  const waiting = new Map<number, (message: Message) => void>();
  let text = '';
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\0');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const message = Message.parse(JSON.parse(part));
      if (message.id === undefined) onEvent(message);
      else waiting.get(message.id)?.(message);
    }
  });
  let last = 0;
  return async (method: string, params: object, sessionId?: string): Promise<unknown> => {
    last += 1;
    const id = last;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
}

/**
 * A page in a headless browser, which ends with the test. It is asked whether it is done: the browser's own way of waiting
 * (`--virtual-time-budget`) knows of requests, but not of an image that is still being decoded.
 */
export async function openPage(t: TestContext, url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--no-first-run',
    '--no-proxy-server',
    `--user-data-dir=${profile}`,
    '--remote-debugging-pipe',
  ];
  const browser = spawn(chromium ?? '', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = once(browser, 'exit').then(([status, signal]) => `the browser ended: ${status ?? signal}`);
  t.after(async () => {
    browser.kill('SIGKILL');
    await ended;
    for (const stream of browser.stdio) stream?.destroy();
    // Its helpers notice a moment later, and write until then.
    await rm(profile, { recursive: true, force: true, maxRetries: 20 });
  });
  const [, , , input, output] = z
    .tuple([z.null(), z.null(), z.null(), z.custom<Writable>(), z.custom<Readable>()])
    .parse(browser.stdio);

  // That the browser is gone is told by its end.
  input.on('error', () => undefined);
  output.on('error', () => undefined);

  const complaints: string[] = [];
  const exceptions: string[] = [];
  const call = createProtocol(input, output, ({ method = '', params }) => {
    if (COMPLAINTS.has(method)) complaints.push(JSON.stringify(params));
    if (method === 'Runtime.exceptionThrown') exceptions.push(JSON.stringify(params));
  });
  const failure = ended.then((sentence) => Promise.reject(new Error(sentence)));
  failure.catch(() => undefined);
  const ask = async (method: string, params: object = {}, sessionId?: string) =>
    z.looseObject({}).parse(await Promise.race([call(method, params, sessionId), failure]));

  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  const attached = await ask('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = z.string().parse(attached['sessionId']);
  for (const domain of ['Runtime', 'Log', 'Page']) await ask(`${domain}.enable`, {}, sessionId);
  await ask('Page.navigate', { url }, sessionId);

  const evaluate = async (expression: string) => {
    const { result } = await ask(
      'Runtime.evaluate',
      { expression, returnByValue: true, awaitPromise: true },
      sessionId,
    );
    return z.object({ value: z.unknown().optional() }).parse(result).value;
  };
  return {
    evaluate,
    complaints,
    complaint: () => waitUntil(() => complaints[0], PATIENCE_MS),
    read: (expression) =>
      waitUntil(async () => {
        const value = await evaluate(expression);
        if (value !== '' && value !== false && value !== null && value !== undefined) return value;
        if (exceptions.length > 0) throw new Error(`a script of the page failed: ${exceptions.join('\n')}`);
        return undefined;
      }, PATIENCE_MS),
  };
}
