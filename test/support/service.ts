import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { createMetrics, type Metrics } from '../../src/admin/metrics.ts';
import { createApp, type Parts } from '../../src/app.ts';
import { openJournal, type Journal } from '../../src/audit/journal.ts';
import type { AppendAudit } from '../../src/audit/record.ts';
import type { AuditEvent } from '../../src/audit/record.ts';
import { ProblemError } from '../../src/errors.ts';
import { createPublicServer, HARDENING } from '../../src/http/server.ts';
import { createLimitParts, type LimitPartsOptions } from '../../src/limit-parts.ts';
import { createLogger } from '../../src/log.ts';
import { createOutbound, type Outbound } from '../../src/outbound.ts';
import { createParts } from '../../src/parts.ts';
import { parseSettings } from '../../src/settings.ts';
import { createWorkUnderWay } from '../../src/work-under-way.ts';
import { CALLING_CLIENT_ID, CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import type { Entra } from '../../sandbox/entra.ts';
import type { Graph } from '../../sandbox/graph.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
import { watchAnswers } from './watch-answers.ts';

const root = join(import.meta.dirname, '../..');

/** A busy machine is no failure: milliseconds for what the service bounds by a time that no test through it is about. */
const PATIENCE_MS = 60_000;
/** Client, service and sandbox share one process, so a busy one reads late what the client sent in time. */
const PATIENT = { ...HARDENING, headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS };

export type ServiceOptions = Pick<SandboxOptions, 'entra' | 'graph'> &
  Readonly<{
    /** Settings as the environment would give them, beside those that join service and sandbox. */
    environment?: Readonly<Record<string, string>>;
    /** Replaces parts of the app before it is made. */
    replace?: (parts: Parts) => Partial<Parts>;
    /** HTTPS, with a certificate of the sandbox's authority. */
    tls?: boolean;
    /** Which events the audit journal fails to record. */
    failAudit?: (event: AuditEvent) => boolean;
    /** Continues an earlier service's journal. */
    auditDirectory?: string;
    /** The clock, in milliseconds since the epoch, of the tokens, the signing keys and the sandbox Entra. */
    now?: () => number;
    /** Put around the calls that leave the process, and around what is written to the journal. */
    wrap?: Readonly<{ send: (send: Outbound) => Outbound; append: (append: AppendAudit) => AppendAudit }>;
    /** The clock of the limits, and how long Redis may take: on a busy machine it is late by its own 50 ms now and then. */
    limits?: LimitPartsOptions;
    /** Stands in front of servers that another service, or the test, began and will end. */
    sandbox?: Sandbox;
  }>;

const AuditLine = z.looseObject({ kind: z.string(), id: z.string() });
export type AuditLine = z.infer<typeof AuditLine>;

export type Service = Readonly<{
  /** Origin of the public listener. */
  url: string;
  /** The authority of the sandbox, in PEM. */
  ca: string;
  entra: Entra;
  graph: Graph;
  metrics: Metrics;
  journal: Journal;
  auditDirectory: string;
  /** What `/readyz` names as not ready. */
  notReady: () => readonly string[];
  /** Everything that was logged, at `debug`. */
  logged: () => string;
  /** The audit records on disk, oldest first. */
  audited: (kind?: string) => Promise<readonly AuditLine[]>;
  /** Path of createToken on a profile of the sandbox. */
  createPath: (profile?: 'forWork' | 'deviceOwner') => string;
  /** Headers with a fresh token of the sandbox. */
  bearer: (request?: Parameters<Entra['issueToken']>[0]) => Promise<Readonly<{ authorization: string }>>;
  setDraining: (draining: boolean) => void;
  /** Each status that a documented route has answered with. */
  statuses: ReadonlySet<string>;
  stop: () => Promise<void>;
}>;

const SETS = {
  forWork: 'androidForWorkEnrollmentProfiles',
  deviceOwner: 'androidDeviceOwnerEnrollmentProfiles',
} as const;

/** What the journals of a directory hold, oldest first; what no line break ends yet is still being written. */
export async function readAudit(directory: string): Promise<readonly AuditLine[]> {
  const names = (await readdir(directory)).filter((name) => /^audit-\d+\.jsonl$/.test(name)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').slice(0, -1))
    .map((line) => AuditLine.parse(JSON.parse(line)));
}

/** The real service in this process, on a free port, between a sandbox Entra and a sandbox Graph. It ends with the test. */
export async function startService(t: TestContext, options: ServiceOptions = {}): Promise<Service> {
  const clock = options.now && { now: options.now };
  const sandbox =
    options.sandbox ??
    (await startSandbox({
      entra: { ...clock, ...options.entra },
      graph: { quota: 'off', ...options.graph },
    }));
  const { ca, entra, graph } = sandbox;
  const auditDirectory = options.auditDirectory ?? (await mkdtemp(join(tmpdir(), 'audit-')));
  const settings = parseSettings({
    defaults: JSON.parse(await readFile(join(root, 'config/default.json'), 'utf8')),
    readFile: (path) => readFileSync(path, 'utf8'),
    checkDirectory: () => {},
    environment: {
      AZURE_TENANT_ID: TENANT_ID,
      AZURE_CLIENT_ID: CLIENT_ID,
      AZURE_CLIENT_SECRET: entra.clientSecret,
      AZURE_AUTHORITY_HOST: entra.url,
      GRAPH_BASE_URL: graph.url,
      ALLOW_CUSTOM_CLOUD: 'true',
      ALLOWED_CLIENT_IDS: CALLING_CLIENT_ID,
      RATE_LIMIT_PROFILE: 'off',
      RATE_LIMIT_USER: 'off',
      RATE_LIMIT_GRAPH: 'off',
      AUDIT_DIR: auditDirectory,
      ...options.environment,
    },
  });
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => lines.push(line) });
  const metrics = createMetrics();
  const work = createWorkUnderWay();
  const outbound = createOutbound({ timeoutMs: settings.upstreamTimeoutMs, ca: ca.caPem });
  const journal = await openJournal({
    directory: auditDirectory,
    version: 'test',
    node: process.version,
    configHash: 'test',
    appendTimeoutMs: PATIENCE_MS,
    log,
  });
  const append: Journal['append'] = async (event) => {
    if (options.failAudit?.(event)) throw new ProblemError('audit_unavailable');
    return journal.append(event);
  };
  const limits = await createLimitParts(settings, log, metrics, {
    redisDeadlineMs: 10_000,
    ...options.limits,
  });
  await limits.ready();
  let draining = false;
  const { wrap } = options;
  const built = createParts({
    settings,
    log,
    metrics,
    journal: { ...journal, append: wrap ? wrap.append(append) : append },
    send: wrap ? wrap.send(outbound.send) : outbound.send,
    limits,
    work,
    isDraining: () => draining,
    // A minute of a clock that stands still never ends, and a real timer for its end may ring within the test.
    ...(clock && { ...clock, scheduleRefusals: () => {} }),
  });
  const told = options.limits?.now && { now: options.limits.now };
  const parts = { ...built.parts, ...told, ...options.replace?.(built.parts) };
  const server = createPublicServer(createApp(parts), {
    ...(options.tls && { tls: await ca.issue(['127.0.0.1']) }),
    hardening: PATIENT,
    isDraining: () => draining,
  });
  const answers = watchAnswers(server);
  await new Promise<void>((resolve) => {
    // By default 511 connections wait to be accepted, and of a thousand at once the system resets some that wait for long.
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the service listens on no port');
  const { port } = address;

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await work.idle(10_000);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await built.flushRefusals();
    await journal.close();
    await outbound.close();
    await limits.close();
    if (!options.sandbox) await sandbox.close();
    if (options.auditDirectory === undefined) await rm(auditDirectory, { recursive: true, force: true });
  };
  const stopOnce = () => (stopped ??= stop());
  // First the stop: behind a hook that fails, none runs.
  t.after(stopOnce);
  t.after(() => assert.deepEqual(answers.violations, [], 'answers that the OpenAPI document does not know'));

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    ca: ca.caPem,
    entra,
    graph,
    metrics,
    journal,
    auditDirectory,
    notReady: built.notReady,
    logged: () => lines.join(''),
    audited: async (kind) => {
      const records = await readAudit(auditDirectory);
      return kind === undefined ? records : records.filter((record) => record.kind === kind);
    },
    createPath: (profile = 'deviceOwner') =>
      `/beta/deviceManagement/${SETS[profile]}/${graph.profiles[profile]}/createToken`,
    bearer: async (request) => ({ authorization: `Bearer ${await entra.issueToken(request)}` }),
    setDraining: (value) => {
      draining = value;
    },
    statuses: answers.statuses,
    stop: stopOnce,
  };
}
