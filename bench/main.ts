import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPeers } from './install-peers.ts';
import { describeMachine } from './machine.ts';
import { startNginxUpstream } from './nginx-upstream.ts';
import { parseOptions, type Options } from './options.ts';
import { findFreePort, isInstalled, LOAD_CORE, startProcess } from './process.ts';
import { issueTokens } from './requests.ts';
import { startSandboxUpstream } from './sandbox-upstream.ts';
import type { Row, Stage } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { readObstacle, startServer, type RunningServer, type ServerName } from './server.ts';
import { toTable } from './table.ts';
import { createWorkspace } from './workspace.ts';

const RESULTS = join(import.meta.dirname, 'results');
/** Of servers that keep their journal in memory. */
const MEMORY_DIRECTORY = `/dev/shm/bench-audit-${process.pid}`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** What has to be undone at the end, last first. */
const cleanups: (() => Promise<void> | void)[] = [];

async function startRedis(directory: string): Promise<string> {
  if (!isInstalled('redis-server')) return '';
  const port = await findFreePort();
  const { stop } = await startProcess({
    command: [
      'redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
    ],
    core: LOAD_CORE,
    outputFile: join(directory, 'redis.log'),
    port,
  });
  cleanups.push(stop);
  return `redis://127.0.0.1:${port}`;
}

async function run(options: Options): Promise<void> {
  execFileSync('taskset', ['-a', '-p', '-c', LOAD_CORE, String(process.pid)], { stdio: 'ignore' });
  installPeers();
  const machine = describeMachine();
  const workspace = createWorkspace();
  cleanups.push(workspace.remove);
  const upstream = await (isInstalled('nginx')
    ? startNginxUpstream(workspace)
    : startSandboxUpstream(workspace));
  cleanups.push(upstream.stop);
  const redisUrl = options.scenarios.includes('f') ? await startRedis(workspace.path('')) : '';

  const missing = new Map<string, string>();
  let running: RunningServer[] = [];
  let known: readonly string[] = [];
  const startOne = async (name: ServerName): Promise<RunningServer> => {
    const server = await startServer(name, { upstream, workspace, redisUrl });
    running.push(server);
    return server;
  };
  const stage: Stage = {
    options,
    upstream,
    tokens: async (count) => {
      if (known.length < count) {
        known = [...known, ...(await issueTokens(upstream.issueToken, count - known.length))];
      }
      return known.slice(0, count);
    },
    freshTokens: (count) => issueTokens(upstream.issueToken, count),
    start: async (...names) => {
      const started: RunningServer[] = [];
      for (const name of names) {
        const obstacle = readObstacle(name, upstream, redisUrl);
        if (obstacle !== undefined) missing.set(name, obstacle);
        else if (options.servers.length === 0 || options.servers.includes(name))
          started.push(await startOne(name));
      }
      return started;
    },
    startService: (name = 'service') => startOne(name),
  };

  const rows: Row[] = [];
  for (const { letter, title, run } of SCENARIOS) {
    if (!options.scenarios.includes(letter)) continue;
    say(`\n(${letter}) ${title}\n`);
    try {
      const measured = await run(stage);
      rows.push(...measured);
      say(toTable(measured));
    } finally {
      for (const { stop } of running) await stop();
      running = [];
    }
  }
  for (const [name, obstacle] of missing) say(`\nNot measured: ${name}: ${obstacle}.`);
  if (!options.keep) return;
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${machine.time.replaceAll(/[:.]/g, '-')}.json`);
  const result = { machine, options, upstream: upstream.name, missing: Object.fromEntries(missing), rows };
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  say(`\nWritten to ${file}`);
}

cleanups.push(() => rmSync(MEMORY_DIRECTORY, { recursive: true, force: true }));
try {
  await run(parseOptions(process.argv.slice(2)));
} finally {
  for (const cleanUp of cleanups.toReversed()) await cleanUp();
}
