import { createCertificateAuthority } from './certificate-authority.ts';
import { toCurlLines } from './demo/curl-lines.ts';
import { createFirstToken } from './demo/first-token.ts';
import { requireFreePorts } from './demo/free-port.ts';
import { parseOptions, type SandboxOptions } from './demo/options.ts';
import { createDemoProfile, issueTokens } from './demo/people.ts';
import { removeReadyFile, writeReadyFile } from './demo/ready-file.ts';
import { SentenceError } from './demo/sentence-error.ts';
import { toServiceEnvironment } from './demo/service-environment.ts';
import { startServiceProcess } from './demo/service-process.ts';
import { createStyle } from './demo/style.ts';
import { createWorkspace } from './demo/workspace.ts';
import { startEntra } from './entra.ts';
import { startGraph } from './graph.ts';
import { createNarration } from './narration.ts';

const narration = createNarration(createStyle(process.stdout.isTTY, process.env['NO_COLOR']));
const stopRequest = new AbortController();
/** What has to be undone at the end, last first. */
const cleanups: (() => Promise<void>)[] = [];

/** Resolves with whether the first token was created, or once the sandbox was asked to stop. */
async function run({ once, readyFile, ports }: SandboxOptions): Promise<boolean> {
  await requireFreePorts(ports);
  if (readyFile !== undefined) await removeReadyFile(readyFile);

  const ca = await createCertificateAuthority();
  const workspace = await createWorkspace(ca.caPem);
  cleanups.push(workspace.remove);
  const entra = await startEntra({ ca, port: ports.ENTRA_PORT });
  cleanups.push(entra.close);
  const graph = await startGraph({ ca, entra, port: ports.GRAPH_PORT });
  cleanups.push(graph.close);
  const profile = createDemoProfile(Date.now());
  graph.store.put('androidDeviceOwnerEnrollmentProfiles', profile);

  const { caFile, auditDirectory, logFile } = workspace;
  const place = { entra, graphBaseUrl: graph.url, caFile, auditDirectory, ports };
  const service = await startServiceProcess({
    environment: toServiceEnvironment(process.env, place),
    logFile,
    onWarning: narration.warning,
    signal: stopRequest.signal,
  });
  cleanups.push(service.stop);
  if (stopRequest.signal.aborted) return !once;

  const { baseUrl, adminUrl } = service;
  narration.begin({ service: baseUrl, entra: entra.url, graph: graph.url });
  const tokens = await issueTokens(entra);
  const story = await createFirstToken({
    baseUrl,
    entra,
    graph,
    profile,
    token: tokens.demo,
    auditDirectory,
  });
  narration.tell(story);

  const { operator, reader, appOnly } = tokens;
  const ready = {
    baseUrl,
    adminUrl,
    authorityHost: entra.url,
    graphBaseUrl: graph.url,
    caFile,
    tenantId: entra.tenantId,
    clientId: entra.client.clientId,
    audience: `api://${entra.client.clientId}`,
    tokens: { operator, reader, appOnly },
    profiles: graph.profiles,
  };
  if (readyFile !== undefined) await writeReadyFile(readyFile, ready);
  if (once) return story.created;

  const files = {
    operator: await workspace.writeToken('operator', operator),
    reader: await workspace.writeToken('reader', reader),
  };
  narration.curlLines(toCurlLines(ready, files));
  narration.serving(workspace);
  const sentence = await Promise.race([service.ended, stopRequested()]);
  if (sentence !== undefined) throw new SentenceError(sentence);
  return true;
}

const stopRequested = (): Promise<undefined> =>
  new Promise((resolve) => {
    if (stopRequest.signal.aborted) resolve(undefined);
    stopRequest.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopRequest.abort());

// npm starts scripts in the root of the repository, whatever directory the command was typed in.
const directory =
  (process.env['npm_lifecycle_event'] === 'sandbox' && process.env['INIT_CWD']) || process.cwd();
try {
  const succeeded = await run(parseOptions(process.argv.slice(2), process.env, directory));
  process.exitCode = succeeded ? 0 : 1;
} catch (error) {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  narration.failure(
    error instanceof SentenceError ? error.message : `The sandbox failed unexpectedly: ${stack}`,
  );
  process.exitCode = 1;
} finally {
  for (const cleanUp of cleanups.toReversed()) await cleanUp();
}
