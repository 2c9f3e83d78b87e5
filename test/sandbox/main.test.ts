import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { APPEND_TIMEOUT_MS } from '../../src/audit/journal.ts';
import { compilePreload } from '../process/support/compile-preload.ts';
import { fetchChecked } from '../support/fetch-checked.ts';
import { waitUntil } from '../support/wait-until.ts';
import { sendRequest } from './send-request.ts';

const ROOT = join(import.meta.dirname, '../..');
const ANY_PORT = { PORT: '0', ADMIN_PORT: '0' };

const Ready = z.strictObject({
  baseUrl: z.url(),
  adminUrl: z.url(),
  authorityHost: z.url(),
  graphBaseUrl: z.url(),
  caFile: z.string(),
  tenantId: z.guid(),
  clientId: z.guid(),
  audience: z.string(),
  tokens: z.strictObject({ operator: z.jwt(), reader: z.jwt(), appOnly: z.jwt() }),
  profiles: z.strictObject({ forWork: z.guid(), deviceOwner: z.guid(), aosp: z.guid() }),
});

type Sandbox = Readonly<{ child: ChildProcess; output: () => string; ended: Promise<number | null> }>;

const preloads = mkdtempSync(join(tmpdir(), 'sandbox-preload-'));
/** The journal of its service waits for a busy disk: for how long in earnest is not what is tested here. */
const PATIENT = {
  NODE_OPTIONS: compilePreload('patient-journal.ts', preloads),
  PATIENT_MS: String(APPEND_TIMEOUT_MS),
};

/** `npm run sandbox` as npm runs it, with a shell full of somebody's real settings. */
function startSandbox(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Sandbox {
  const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts', ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere',
      HTTPS_PROXY: 'http://127.0.0.1:1',
      LOG_LEVEL: 'error',
      ...PATIENT,
      ...environment,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return { child, output: () => output, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** The tests need Node and npm only; with curl they try what the sandbox tells people to paste. */
const hasCurl = async (): Promise<boolean> =>
  promisify(execFile)('curl', ['--version']).then(
    () => true,
    () => false,
  );

const untilServing = ({ child, output, ended }: Sandbox): Promise<unknown> =>
  Promise.race([
    ended,
    new Promise<void>((resolve) =>
      child.stdout?.on('data', () => output().includes('Serving until Ctrl-C.') && resolve()),
    ),
  ]);

describe('npm run sandbox', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sandbox-main-'));
  });
  after(async () => {
    await rm(directory, { recursive: true });
    await rm(preloads, { recursive: true });
  });

  test('--once creates a token through the whole chain, tells each hop in plain lines, and ends', async () => {
    const { output, ended } = startSandbox(['--once']);
    assert.equal(await ended, 0, output());
    const told = [
      /1 {2}A caller sends the token of its user/,
      /name +Dana Demo\n/,
      /2 intent +enrollmentToken.create/,
      /credential +secret\n/,
      /request +POST \/beta\/deviceManagement\/androidDeviceOwnerEnrollmentProfiles\/[0-9a-f-]{36}\/createToken\n/,
      /status +204\n/,
      /token +[0-9A-F]{24}\n/,
      /3 outcome +success 204/,
      /One enrollment token was created/,
    ];
    let rest = output();
    for (const pattern of told) {
      const at = rest.search(pattern);
      assert.notEqual(at, -1, `${pattern} in ${rest}`);
      rest = rest.slice(at);
    }
    assert.ok(!output().includes('\u001B'), 'no colours in a pipe');
    assert.doesNotMatch(output(), /eyJ/, 'no token in full');
  });

  test('--ready-file says where everything is; curl lines work as printed; a signal ends it without a trace', async (t) => {
    const readyFile = join(directory, 'ready.json');
    const sandbox = startSandbox(['--ready-file', readyFile], ANY_PORT);
    const { child, output, ended } = sandbox;
    t.after(() => child.kill('SIGKILL'));
    await untilServing(sandbox);
    const ready = Ready.parse(JSON.parse(await readFile(readyFile, 'utf8')));
    assert.equal((await stat(readyFile)).mode & 0o777, 0o600);
    const ca = await readFile(ready.caFile, 'utf8');
    assert.equal((await fetchChecked(`${ready.adminUrl}/readyz`, {}, 'admin')).status, 200);
    assert.equal((await sendRequest(`${ready.graphBaseUrl}/sandbox/journal`, { ca })).status, 200);
    const scopes = [ready.tokens.operator, ready.tokens.reader, ready.tokens.appOnly].map(
      (token) => decodeJwt(token)['scp'],
    );
    const everything = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';
    assert.deepEqual(scopes, [everything, 'EnrollmentToken.Read', undefined]);

    const { tokens, profiles, baseUrl } = ready;
    for (const [token, status] of [
      [tokens.operator, 204],
      [tokens.reader, 403],
      [tokens.appOnly, 403],
    ] as const) {
      const path = `beta/deviceManagement/androidForWorkEnrollmentProfiles/${profiles.forWork}/createToken`;
      const answer = await fetchChecked(`${baseUrl}/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"tokenValidityInSeconds":60}',
      });
      assert.equal(answer.status, status);
    }

    const line = /^curl .*createToken.*operator\.token.*$/m.exec(output())?.[0] ?? '';
    assert.match(line, /-H "Authorization: Bearer \$\(cat '.+operator\.token'\)"/);
    if (await hasCurl())
      assert.match((await promisify(execFile)('sh', ['-c', line])).stdout, /^HTTP\/1\.1 204/);

    child.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.equal(existsSync(ready.caFile), false, 'temporary files are gone');
    await assert.rejects(fetch(`${baseUrl}/healthz`), 'the service is gone');
  });

  test('a killed sandbox leaves no service behind', async () => {
    const readyFile = join(directory, 'killed.json');
    const sandbox = startSandbox(['--ready-file', readyFile], ANY_PORT);
    await untilServing(sandbox);
    const ready = Ready.parse(JSON.parse(await readFile(readyFile, 'utf8')));
    sandbox.child.kill('SIGKILL');
    const isGone = () =>
      fetch(`${ready.baseUrl}/healthz`).then(
        () => false,
        () => true,
      );
    await waitUntil(isGone, 30_000);
    await rm(dirname(ready.caFile), { recursive: true });
  });

  const listener = createServer();
  const sentences = {
    'a port that is taken': async () => {
      await new Promise<void>((resolve) => {
        listener.listen(0, '127.0.0.1', resolve);
      });
      const address = listener.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      return {
        args: [],
        environment: { ...ANY_PORT, PORT: port },
        pattern: /^Port \d+ is taken by another program: .+\.\n$/,
      };
    },
    'a port that is none': async () => ({
      args: ['--once'],
      environment: { GRAPH_PORT: '70000' },
      pattern: /^GRAPH_PORT must be a port number .+\.\n$/,
    }),
    'an option that is none': async () => ({
      args: ['--twice'],
      environment: {},
      pattern: /^The sandbox takes .+\.\n$/,
    }),
    'a ready file that cannot be written': async () => ({
      args: ['--once', '--ready-file', join(directory, 'absent', 'ready.json')],
      environment: {},
      pattern: /\nThe ready file .+ cannot be written \(ENOENT\)\.\n$/,
    }),
    'a service that does not start': async () => ({
      args: ['--once'],
      environment: { RATE_LIMIT_USER: 'many' },
      pattern: /^The service ended \(exit status 78\): .*RATE_LIMIT_USER.+\n$/,
    }),
    'all that keeps a service from its start': async () => ({
      args: ['--once'],
      environment: { RATE_LIMIT_USER: 'many', ENABLE_DOCS: 'perhaps' },
      pattern: /^The service ended \(exit status 78\):\n {2}ENABLE_DOCS: .+\n {2}RATE_LIMIT_USER: .+\n$/,
    }),
  };
  for (const [what, prepare] of Object.entries(sentences)) {
    test(`${what} is told without a stack, with exit status 1`, async (t) => {
      t.after(() => listener.close());
      const { args, environment, pattern } = await prepare();
      const { output, ended } = startSandbox(args, environment);
      assert.equal(await ended, 1);
      assert.match(output(), pattern);
      assert.doesNotMatch(output(), /\n\s+at /, 'no stack');
    });
  }
});
