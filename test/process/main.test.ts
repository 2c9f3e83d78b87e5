import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { createLogger } from '../../src/log.ts';
import { assertDocumented } from '../support/assert-documented.ts';
import { fetchChecked } from '../support/fetch-checked.ts';
import { readAudit } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { buildService, type Environment } from './built-service.ts';
import { compilePreload } from './support/compile-preload.ts';

const built = await buildService();
const { entra, graph } = built.sandbox;
const CREATE = `/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/${graph.profiles.deviceOwner}/createToken`;

async function createToken(origin: string): Promise<Response> {
  return fetchChecked(`${origin}${CREATE}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await entra.issueToken()}`, 'content-type': 'application/json' },
    body: '{"tokenValidityInSeconds":3600}',
  });
}

/** Milliseconds for which Graph keeps a creation back: longer than the machine may stall while a test does what it does meanwhile. */
const SLOW = 5000;

const isReady = async (admin: string) => (await fetchChecked(`${admin}/readyz`, {}, 'admin')).status === 200;

test('set by the environment alone: it starts, becomes ready, creates a token and stops in order', async (t) => {
  const begin = performance.now();
  const auditDirectory = join(built.directory, 'audit-in-order');
  const service = built.start(t, { AUDIT_DIR: auditDirectory });
  const admin = await service.origin('admin');
  const origin = await service.origin('public');
  await waitUntil(() => isReady(admin));
  const startMs = Math.round(performance.now() - begin);
  const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8');
  t.diagnostic(`start to ready ${startMs} ms, idle ${/VmRSS:\s*(\d+ kB)/.exec(status)?.[1]}`);

  const answer = await createToken(origin);
  assert.equal(answer.status, 204);
  assert.equal((await fetchChecked(`${origin}/metrics`)).status, 404, 'no probe on the public port');
  assert.equal(
    (await fetchChecked(`${admin}${CREATE}`, { method: 'POST' }, 'admin')).status,
    404,
    'no token on the admin port',
  );
  const metrics = await (await fetchChecked(`${admin}/metrics`, {}, 'admin')).text();
  assert.match(metrics, /http_requests_total\{operation="createToken",status="204"\} 1/);

  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal(service.stderr(), '');
  const kinds = (await readAudit(auditDirectory)).map(({ kind }) => kind);
  assert.equal(kinds.at(0), 'start');
  assert.equal(kinds.at(-1), 'stop');
});

const WRONG: Readonly<Record<string, Environment>> = {
  PORT: { PORT: '70000' },
  ADMIN_PORT: { ADMIN_PORT: 'none' },
  AZURE_TENANT_ID: { AZURE_TENANT_ID: 'contoso' },
  AZURE_CLIENT_ID: { AZURE_CLIENT_ID: undefined },
  AZURE_CLIENT_SECRET: { AZURE_CLIENT_SECRET: undefined },
  AZURE_FEDERATED_TOKEN_FILE: { AZURE_FEDERATED_TOKEN_FILE: '/nowhere' },
  GRAPH_BASE_URL: { GRAPH_BASE_URL: 'http://graph.example' },
  ALLOWED_CLIENT_IDS: { ALLOWED_CLIENT_IDS: '' },
  RATE_LIMIT_USER: { RATE_LIMIT_USER: '30' },
  SHUTDOWN_GRACE_MS: { SHUTDOWN_GRACE_MS: '1000' },
  TLS_KEY_FILE: { TLS_CERT_FILE: '/nowhere.pem', TLS_KEY_FILE: '/nowhere.key' },
  LOG_LEVEL: { LOG_LEVEL: 'loud' },
  AUDIT_PII: { AUDIT_PII: 'pseudonymous' },
  AUDIT_DIR: { AUDIT_DIR: '/etc/hostname/audit' },
  // Where Node's own making of directories never ends.
  RATE_LIMIT_TENANT: { AUDIT_DIR: '/proc/x', RATE_LIMIT_TENANT: '1', ENABLE_CAE: 'perhaps' },
};

test('each wrong setting is one line that names it, and exit 78', { concurrency: 2 }, async (t) => {
  const cases = Object.entries(WRONG).map(([name, changes]) =>
    t.test(name, async (t) => {
      const service = built.start(t, changes);
      assert.equal(await service.ended, 78);
      const lines = service.stderr().trimEnd().split('\n');
      assert.ok(
        lines.some((line) => line.includes(name)),
        service.stderr(),
      );
      assert.equal(lines.length, Object.keys(changes).length, service.stderr());
      assert.doesNotMatch(service.stderr(), /^ {4}at /m);
      assert.ok(!service.stderr().includes(entra.clientSecret));
      assert.equal(service.stdout(), '');
    }),
  );
  await Promise.all(cases);
});

test(
  'what prevents the start is one sentence that names the setting, and exit 1, or 78 for a wrong setting',
  { concurrency: 2 },
  async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    t.after(() => holder.close());
    await waitUntil(() => holder.listening);
    const port = Object(holder.address()).port;
    const locked = join(built.directory, 'locked');
    const log = createLogger({ level: 'error', write: () => {} });
    const journal = await openJournal({ directory: locked, version: '', node: '', configHash: '', log });
    t.after(() => journal.close());

    const failures: readonly (readonly [string, Environment, number, RegExp])[] = [
      ['public port taken', { PORT: String(port) }, 1, /^PORT: .*EADDRINUSE/],
      ['admin port taken', { ADMIN_PORT: String(port) }, 1, /^ADMIN_PORT: .*EADDRINUSE/],
      ['no address of this machine', { HOST: '203.0.113.1' }, 78, /^HOST: expected .*EADDRNOTAVAIL/],
      ['none for probes', { ADMIN_HOST: '203.0.113.1' }, 78, /^ADMIN_HOST: expected .*EADDRNOTAVAIL/],
      ['audit directory of another process', { AUDIT_DIR: locked }, 1, /in use by process \d+/],
    ];
    const cases = failures.map(([name, changes, status, expected]) =>
      t.test(name, async (t) => {
        const service = built.start(t, changes);
        assert.equal(await service.ended, status);
        assert.match(service.stderr(), expected);
        assert.equal(service.stderr().trimEnd().split('\n').length, 1, service.stderr());
      }),
    );
    await Promise.all(cases);
  },
);

test('SIGTERM: what was begun is finished, what comes new is refused, then exit 0', async (t) => {
  const auditDirectory = join(built.directory, 'audit-stop');
  const service = built.start(t, { AUDIT_DIR: auditDirectory });
  const origin = await service.origin('public');
  graph.journal.clear();
  graph.faults.add({ operation: 'createToken', kind: 'delay', ms: SLOW });
  const slow = createToken(origin);
  await waitUntil(() => graph.journal.requests.length > 0);

  service.child.kill('SIGTERM');
  await waitUntil(() => service.stdout().includes('"stopping"'));
  const refused = await createToken(origin);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('connection'), 'close');
  assert.match(await refused.text(), /"code":"shutting_down"/);
  const ready = await fetchChecked(`${await service.origin('admin')}/readyz`, {}, 'admin');
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /shutting_down/);

  service.child.kill('SIGTERM');
  const answer = await slow;
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('connection'), 'close', 'its connection is closed right after it');
  assert.equal(await service.ended, 0);
  assert.equal(graph.journal.commits.length, 1);
  const records = await readAudit(auditDirectory);
  assert.equal(records.at(-1)?.kind, 'stop');
  assert.deepEqual(
    records.filter(({ kind }) => kind === 'outcome').map((record) => record['result']),
    ['success'],
  );
});

test('SIGTERM after the caller of a slow request has left: its outcome is still recorded', async (t) => {
  const auditDirectory = join(built.directory, 'audit-left');
  const service = built.start(t, { AUDIT_DIR: auditDirectory });
  const origin = await service.origin('public');
  graph.journal.clear();
  graph.faults.add({ operation: 'createToken', kind: 'delay', ms: SLOW });
  const caller = new AbortController();
  const authorization = `Bearer ${await entra.issueToken()}`;
  const left = fetch(`${origin}${CREATE}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{"tokenValidityInSeconds":3600}',
    signal: caller.signal,
  });
  await waitUntil(() => graph.journal.requests.length > 0);
  caller.abort();
  await assert.rejects(left);
  await waitUntil(() => service.stdout().includes('"status":499'));

  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  const outcomes = (await readAudit(auditDirectory)).filter(({ kind }) => kind === 'outcome');
  assert.deepEqual(
    outcomes.map((record) => record['result']),
    ['success'],
  );
});

test('a log that nobody reads any more costs no request, and no orderly stop', async (t) => {
  const auditDirectory = join(built.directory, 'audit-unread');
  const service = built.start(t, { AUDIT_DIR: auditDirectory });
  const origin = await service.origin('public');
  service.child.stdout?.destroy();
  service.child.stderr?.destroy();
  for (const _ of [1, 2, 3]) assert.equal((await createToken(origin)).status, 204);
  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal((await readAudit(auditDirectory)).at(-1)?.kind, 'stop');
});

test('a log that cannot be written from the start costs nothing either', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const auditDirectory = join(built.directory, 'audit-full-log');
  const service = built.start(t, { AUDIT_DIR: auditDirectory }, full);
  await waitUntil(async () => {
    assert.equal(service.child.exitCode, null, 'it has ended');
    return existsSync(auditDirectory) && (await readAudit(auditDirectory)).length > 0;
  });
  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal((await readAudit(auditDirectory)).at(-1)?.kind, 'stop');
});

test('SIGTERM while a journal is recovered is an orderly stop once that is done', async (t) => {
  const auditDirectory = join(built.directory, 'audit-recovering');
  mkdirSync(auditDirectory);
  writeFileSync(join(auditDirectory, 'audit-000001.jsonl'), '');
  const pipe = join(built.directory, 'reading');
  execFileSync('mkfifo', [pipe]);
  const service = built.start(t, {
    AUDIT_DIR: auditDirectory,
    NODE_OPTIONS: compilePreload('hold-reads.ts', join(built.directory, 'preload')),
    HOLD_READS: pipe,
  });
  // Possible once the service waits at the other end.
  const reading = await waitUntil(() =>
    open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined),
  );

  service.child.kill('SIGTERM');
  await waitUntil(() => service.stdout().includes('"stopping"'));
  await reading.close();
  assert.equal(await service.ended, 0);
  assert.doesNotMatch(service.stdout(), /"listening"/);
  const kinds = (await readAudit(auditDirectory)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['start', 'stop']);
});

test('a limit that cannot stay within Graph’s quota is a warning', async (t) => {
  const warning = /"warn","message":"RATE_LIMIT_GRAPH lets more/;
  for (const [limit, isWarned] of [
    ['50/20', false],
    ['60/20', true],
  ] as const) {
    const service = built.start(t, { RATE_LIMIT_GRAPH: limit });
    await service.origin('admin');
    assert.equal(warning.test(service.stdout()), isWarned, limit);
    service.child.kill('SIGKILL');
  }
});

test('SIGTERM while it still starts is an orderly stop too', async (t) => {
  const auditDirectory = join(built.directory, 'audit-early');
  const service = built.start(t, { AUDIT_DIR: auditDirectory });
  await service.origin('admin');
  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal((await readAudit(auditDirectory)).at(-1)?.kind, 'stop');
  assert.equal(service.stderr(), '');
});

test('AUDIT_STDOUT copies each record to standard output whatever LOG_LEVEL is', async (t) => {
  const service = built.start(t, { AUDIT_STDOUT: 'true', LOG_LEVEL: 'error' });
  await waitUntil(() => service.stdout().includes('"kind":"start"'));
  service.child.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  const lines = service.stdout().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)).map(({ message, record }) => [message, record.kind]),
    [
      ['audit', 'start'],
      ['audit', 'stop'],
    ],
  );
});

test('HTTPS on the public listener, with the files that the settings name', async (t) => {
  const { cert, key } = await built.sandbox.ca.issue();
  const files = {
    TLS_CERT_FILE: join(built.directory, 'cert.pem'),
    TLS_KEY_FILE: join(built.directory, 'key.pem'),
  };
  writeFileSync(files.TLS_CERT_FILE, cert);
  writeFileSync(files.TLS_KEY_FILE, key);
  const service = built.start(t, files);
  const { port } = new URL(await service.origin('public'));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      path: '/healthz',
      ca: built.sandbox.ca.caPem,
      agent: false as const,
    };
    get(options, resolve).on('error', reject);
  });
  const { statusCode: status = 0, headers } = response;
  assert.equal(status, 200);
  assertDocumented({
    method: 'GET',
    target: '/healthz',
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: await buffer(response),
  });
});
