import { readFileSync } from 'node:fs';
import { Server as HttpsServer } from 'node:https';
import { createAdminServer } from './admin/admin-server.ts';
import { createMetrics } from './admin/metrics.ts';
import { createApp } from './app.ts';
import { openJournal } from './audit/journal.ts';
import { prepareDirectory } from './audit/prepare-directory.ts';
import { createTlsReader, createTlsReload } from './http/reload-tls.ts';
import { createPublicServer } from './http/server.ts';
import { createLimitParts } from './limit-parts.ts';
import { listen } from './listen.ts';
import { createLogger } from './log.ts';
import { createLineBatch } from './log/line-transport.ts';
import { createOutbound } from './outbound.ts';
import { createParts } from './parts.ts';
import { parseSettings, type Settings } from './settings.ts';
import { toConfigHash } from './settings/config-hash.ts';
import { exceedsGraphQuota } from './settings/graph-quota.ts';
import { SettingsError } from './settings/settings-error.ts';
import { createWorkUnderWay } from './work-under-way.ts';

/** `EX_CONFIG` of sysexits.h. */
const EXIT_CONFIGURATION = 78;
const EXIT_FAILURE = 1;
const DAY = 24 * 60 * 60_000;
const TLS_RELOAD_EVERY = 10_000;
const LAST_MOMENT = 1000;

const readText = (path: string | URL): string => readFileSync(path, 'utf8');

/** A file that stands beside src/ as beside dist/. */
const readJson = (path: string): unknown => JSON.parse(readText(new URL(`../${path}`, import.meta.url)));

function readVersion(): string {
  const manifest = readJson('package.json');
  const version: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : '';
  return String(version);
}

function readSettings(): Settings {
  return parseSettings({
    defaults: readJson('config/default.json'),
    environment: process.env,
    readFile: readText,
    checkDirectory: prepareDirectory,
  });
}

/** A directory in which no journal can be written (its disk is full, say) is a wrong setting, though it took a try to know. */
function refuseDirectory(error: unknown): never {
  if (!(error instanceof Error) || !('syscall' in error)) throw error;
  throw new SettingsError([
    `AUDIT_DIR: expected a directory in which a journal can be written, got ${error.message}`,
  ]);
}

async function run(settings: Settings): Promise<void> {
  const { add: write, flush } = createLineBatch((lines) => process.stdout.write(lines));
  process.once('exit', flush);
  const log = createLogger({ level: settings.logLevel, write });
  // The copies of the audit records are not news of some severity: they come whatever LOG_LEVEL is.
  const copies = createLogger({ level: 'info', write });
  let draining = false;
  const isDraining = () => draining;
  // Heard from the beginning: before anybody hears it, a signal does nothing to the first process of a container, and ends any
  // other out of order. Recovering a long journal takes its time.
  const stopAsked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (draining) return;
        draining = true;
        log.info('stopping', { signal });
        resolve();
      });
    }
  });
  if (exceedsGraphQuota(settings.rateLimits.graph)) {
    log.warn(
      'RATE_LIMIT_GRAPH lets more writes through than Graph takes: 100 in 20 seconds, the burst included',
    );
  }
  const metrics = createMetrics();
  const work = createWorkUnderWay();
  const { httpsProxy, noProxy } = settings.proxy;
  const onTlsFailure = (error: unknown) => log.error('the TLS files cannot be read', { error });
  const readTls = settings.tls && createTlsReader(settings.tls, onTlsFailure);
  const tls = await readTls?.();
  const journal = await openJournal({
    directory: settings.audit.directory,
    version: readVersion(),
    node: process.version,
    configHash: toConfigHash(settings),
    log,
    onAppend: (result, seconds) => metrics.auditAppend(result === 'written' ? 'success' : 'failed', seconds),
    ...(settings.audit.stdout && { toStdout: (line) => copies.info('audit', { record: JSON.parse(line) }) }),
  }).catch(refuseDirectory);
  const outbound = createOutbound({
    timeoutMs: settings.upstreamTimeoutMs,
    ...(httpsProxy && { proxy: { httpsProxy, noProxy } }),
  });

  const limits = await createLimitParts(settings, log, metrics);

  const { parts, notReady, start, stopWatching, checkCertificate, flushRefusals } = createParts({
    settings,
    log,
    metrics,
    journal,
    send: outbound.send,
    limits,
    work,
    isDraining,
  });
  const publicServer = createPublicServer(createApp(parts), { ...(tls && { tls }), isDraining });
  const adminServer = createAdminServer({ metrics, isReady: notReady });
  publicServer.on('request', (_request, response) => {
    response.once('close', work.begin());
  });
  const timers = [setInterval(checkCertificate, DAY)];
  if (readTls && publicServer instanceof HttpsServer) {
    const reload = createTlsReload(publicServer, readTls, log);
    timers.push(setInterval(() => void reload().catch(onTlsFailure), TLS_RELOAD_EVERY));
  }

  const close = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    stopWatching();
    for (const server of [publicServer, adminServer]) {
      server.close();
      server.closeAllConnections();
    }
    try {
      await flushRefusals();
      await journal.close();
      await outbound.close();
      await limits.close();
    } finally {
      // Nothing is left to do; should something still hold the process, it does so no longer than this.
      setTimeout(() => process.exit(), LAST_MOMENT).unref();
    }
  };

  const stop = async (): Promise<void> => {
    if (!(await work.idle(settings.shutdownGraceMs)))
      log.warn('stopped before everything under way was finished');
    await close();
    log.info('stopped');
  };

  stopAsked.then(stop).catch((error: unknown) => {
    log.error('the stop failed', { error });
    process.exitCode = EXIT_FAILURE;
  });

  try {
    if (isDraining()) return;
    start();
    await limits.ready();
    if (isDraining()) return;
    log.info('listening', {
      listener: 'admin',
      port: await listen(adminServer, {
        ...settings.admin,
        names: { host: 'ADMIN_HOST', port: 'ADMIN_PORT' },
      }),
    });
    if (isDraining()) return;
    log.info('listening', {
      listener: 'public',
      port: await listen(publicServer, { ...settings.listen, names: { host: 'HOST', port: 'PORT' } }),
    });
  } catch (error) {
    await close();
    throw error;
  }
}

// A log that nobody takes (its reader has gone, the disk is full) is lost, not the requests under way: without a listener the
// failed write would be an uncaught exception, and the end of the process without a drain.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await run(readSettings());
} catch (error) {
  const isSettings = error instanceof SettingsError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isSettings ? EXIT_CONFIGURATION : EXIT_FAILURE;
}
