import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { z } from 'zod';
import { CALLING_CLIENT_ID, CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import { APPEND_TIMEOUT_MS } from '../../src/audit/journal.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';
import { compilePreload } from './support/compile-preload.ts';

const root = join(import.meta.dirname, '../..');

export type Environment = Readonly<Record<string, string | undefined>>;

/** A process of the built service. */
export type RunningService = Readonly<{
  child: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | string | null>;
  /** Origin of a listener, once it is announced in the log. */
  origin: (listener: 'admin' | 'public') => Promise<string>;
}>;

export type BuiltService = Readonly<{
  directory: string;
  sandbox: Sandbox;
  /** All that a service between these sandbox servers needs, and a journal that waits for a busy disk. */
  environment: Environment;
  /** `output`: a file descriptor that takes both outputs in place of {@link RunningService}. */
  start: (t: TestContext, environment?: Environment, output?: number) => RunningService;
}>;

/** Characters of an output that are kept. What a service says in an hour is more than anybody reads. */
const MOST_OUTPUT = 16 * 1024 * 1024;

const Listening = z.object({ message: z.literal('listening'), listener: z.string(), port: z.number() });

/** Compiles src/ into a directory of its own, laid out as the image is, and starts the sandbox beside it. */
export async function buildService(options: SandboxOptions = {}): Promise<BuiltService> {
  const directory = mkdtempSync(join(tmpdir(), 'built-service-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const compilation = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')];
  execFileSync(process.execPath, [compiler, ...compilation]);
  for (const name of ['node_modules', 'config', 'package.json']) {
    symlinkSync(join(root, name), join(directory, name));
  }
  const sandbox = await startSandbox({ ...options, graph: { quota: 'off', ...options.graph } });
  after(() => sandbox.close());
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, sandbox.ca.caPem);

  const environment: Environment = {
    NODE_EXTRA_CA_CERTS: caFile,
    PORT: '0',
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    AZURE_TENANT_ID: TENANT_ID,
    AZURE_CLIENT_ID: CLIENT_ID,
    AZURE_CLIENT_SECRET: sandbox.entra.clientSecret,
    AZURE_AUTHORITY_HOST: sandbox.entra.url,
    GRAPH_BASE_URL: sandbox.graph.url,
    ALLOW_CUSTOM_CLOUD: 'true',
    ALLOWED_CLIENT_IDS: CALLING_CLIENT_ID,
    NODE_OPTIONS: compilePreload('patient-journal.ts', join(directory, 'preload')),
    PATIENT_MS: String(APPEND_TIMEOUT_MS),
  };

  let audits = 0;
  const start = (
    t: TestContext,
    changes: Environment = {},
    output: number | 'pipe' = 'pipe',
  ): RunningService => {
    audits += 1;
    const child = spawn(process.execPath, ['dist/main.js'], {
      cwd: directory,
      env: { ...environment, AUDIT_DIR: join(directory, `audit-${audits}`), ...changes },
      stdio: ['ignore', output, output],
    });
    let stdout = '';
    let stderr = '';
    const keep = (kept: string, text: string) => (kept.length < MOST_OUTPUT ? kept + text : kept);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout = keep(stdout, text)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = keep(stderr, text)));
    const ended = once(child, 'close').then(
      ([code, signal]: (number | string | null)[]) => code ?? signal ?? null,
    );
    // Its directory is removed next.
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const readPort = (listener: string) =>
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => Listening.safeParse(JSON.parse(line)).data)
        .find((line) => line?.listener === listener)?.port;
    return {
      child,
      stdout: () => stdout,
      stderr: () => stderr,
      ended,
      origin: async (listener) => {
        const port = await waitUntil(() => {
          if (child.exitCode !== null || child.signalCode !== null)
            throw new Error(`the service ended: ${stderr}`);
          return readPort(listener);
        });
        return `http://127.0.0.1:${port}`;
      },
    };
  };
  return { directory, sandbox, environment, start };
}
