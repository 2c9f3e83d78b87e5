import { readFileSync } from 'node:fs';
import { CALLING_CLIENT_ID, CLIENT_ID, TENANT_ID } from '../sandbox/directory.ts';
import { toTokenEndpoint, toV2Issuer } from '../sandbox/entra/authority.ts';
import { findFreePort, isInstalled, SERVER_CORE, startProcess, type RunningProcess } from './process.ts';
import type { Upstream } from './upstream.ts';
import type { Workspace } from './workspace.ts';

/** What is measured, in the words of the table. */
export type ServerName =
  | 'service'
  | 'service, journal in memory'
  | 'service, limits in Redis'
  | 'haproxy'
  | 'nginx'
  | 'fastify'
  | 'msal-proxy'
  | 'textbook';

export type RunningServer = RunningProcess & Readonly<{ name: ServerName; port: number }>;

type Setting = Readonly<{ upstream: Upstream; workspace: Workspace; port: number; redisUrl: string }>;

type Server = Readonly<{
  /** The program that has to be installed. */
  program?: string;
  /** Whether it can only pass on what somebody else exchanged. */
  needsGraphToken?: true;
  toCommand: (setting: Setting) => readonly [string, ...string[]];
  toEnvironment?: (setting: Setting) => Promise<Readonly<Record<string, string>>>;
}>;

const NODE = process.execPath;
/** Every server of Node.js is started with the options of the image. */
const NODE_OPTIONS = /^ENV NODE_OPTIONS="(.*)"$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '';
/** In force, yet refusing nobody: the work is measured, not the refusal. */
const UNREACHED = '1000000/60';

const LIMITS = {
  RATE_LIMIT_ADDRESS: UNREACHED,
  RATE_LIMIT_USER: UNREACHED,
  RATE_LIMIT_CLIENT: UNREACHED,
  RATE_LIMIT_TENANT: UNREACHED,
  RATE_LIMIT_PROFILE: UNREACHED,
  RATE_LIMIT_GRAPH: UNREACHED,
};

/** `SERVICE_MAIN` names the main.js of another build, to compare two. */
const createService = (
  toExtra: (setting: Setting) => Readonly<Record<string, string>> = () => ({}),
): Server => ({
  toCommand: () => [NODE, process.env['SERVICE_MAIN'] ?? 'dist/main.js'],
  toEnvironment: async (setting) => {
    const { upstream, workspace, port } = setting;
    return {
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(await findFreePort()),
      AZURE_TENANT_ID: TENANT_ID,
      AZURE_CLIENT_ID: CLIENT_ID,
      AZURE_CLIENT_SECRET: upstream.clientSecret,
      AZURE_AUTHORITY_HOST: upstream.authorityHost,
      GRAPH_BASE_URL: upstream.graphUrl,
      ALLOW_CUSTOM_CLOUD: 'true',
      ALLOWED_CLIENT_IDS: CALLING_CLIENT_ID,
      AUDIT_DIR: workspace.path(`audit-${port}`),
      NODE_EXTRA_CA_CERTS: upstream.caFile,
      NODE_ENV: 'production',
      NODE_OPTIONS,
      ...LIMITS,
      ...toExtra(setting),
    };
  },
});

const createNodePeer = (file: string): Server => ({
  toCommand: () => [NODE, `bench/peers/${file}.mjs`],
  toEnvironment: async ({ upstream, port }) => {
    const { authorityHost, graphUrl, caFile } = upstream;
    const tenant = `${authorityHost}/${TENANT_ID}`;
    const settings = {
      port,
      upstream: graphUrl,
      caFile,
      publicKey: upstream.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      issuer: toV2Issuer(authorityHost, TENANT_ID),
      authority: tenant,
      metadataUri: `${tenant}/v2.0/.well-known/openid-configuration`,
      jwksUri: `${tenant}/discovery/v2.0/keys`,
      tokenEndpoint: toTokenEndpoint(authorityHost, TENANT_ID),
      tenantId: TENANT_ID,
      clientId: CLIENT_ID,
      clientSecret: upstream.clientSecret,
      callingClientId: CALLING_CLIENT_ID,
    };
    return {
      PEER_SETTINGS: JSON.stringify(settings),
      NODE_EXTRA_CA_CERTS: caFile,
      NODE_ENV: 'production',
      NODE_OPTIONS,
    };
  },
});

const toMarks = ({ upstream, workspace, port }: Setting): Readonly<Record<string, string>> => ({
  PORT: String(port),
  UPSTREAM_PORT: new URL(upstream.graphUrl).port,
  CA_FILE: upstream.caFile,
  GRAPH_TOKEN: upstream.graphToken,
  ISSUER: toV2Issuer(upstream.authorityHost, TENANT_ID),
  CLIENT_ID,
  CALLING_CLIENT_ID,
  PUBLIC_KEY: workspace.write(
    'public-key.pem',
    upstream.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ),
});

export const SERVERS: Readonly<Record<ServerName, Server>> = {
  service: createService(),
  'service, journal in memory': createService(({ port }) => ({
    AUDIT_DIR: `/dev/shm/bench-audit-${process.pid}/${port}`,
  })),
  'service, limits in Redis': createService(({ redisUrl }) => ({ REDIS_URL: redisUrl })),
  haproxy: {
    program: 'haproxy',
    needsGraphToken: true,
    toCommand: (setting) => [
      'haproxy',
      '-db',
      '-f',
      setting.workspace.fill('peers/haproxy.cfg', 'haproxy.cfg', toMarks(setting)),
    ],
  },
  nginx: {
    program: 'nginx',
    needsGraphToken: true,
    toCommand: (setting) => [
      'nginx',
      '-p',
      setting.workspace.path(''),
      '-c',
      setting.workspace.fill('peers/nginx.conf', 'nginx-peer.conf', toMarks(setting)),
    ],
  },
  fastify: createNodePeer('fastify'),
  'msal-proxy': createNodePeer('msal-proxy'),
  textbook: createNodePeer('textbook'),
};

/** Whether a server can be measured here, or why not. */
export function readObstacle(name: ServerName, upstream: Upstream, redisUrl: string): string | undefined {
  const { program, needsGraphToken } = SERVERS[name];
  if (program !== undefined && !isInstalled(program)) return `${program} is not installed`;
  if (needsGraphToken && upstream.name !== 'nginx')
    return 'it cannot exchange, and the sandbox wants an exchanged token';
  if (name === 'service, limits in Redis' && redisUrl === '') return 'redis-server is not installed';
  return undefined;
}

export async function startServer(name: ServerName, setting: Omit<Setting, 'port'>): Promise<RunningServer> {
  const { toCommand, toEnvironment } = SERVERS[name];
  const port = await findFreePort();
  const full = { ...setting, port };
  const running = await startProcess({
    command: toCommand(full),
    environment: (await toEnvironment?.(full)) ?? {},
    core: SERVER_CORE,
    outputFile: setting.workspace.path(`${name.replaceAll(/\W+/g, '-')}.log`),
    port,
  });
  return { ...running, name, port };
}
