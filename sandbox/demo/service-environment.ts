import { CALLING_CLIENT_ID } from '../directory.ts';
import type { Entra } from '../entra.ts';
import type { Environment, Ports } from './options.ts';

/** What a developer's shell may hold for a real tenant, and would lead the service out of the sandbox. */
const NOT_INHERITED =
  /^(?:AZURE_|ALLOWED_|API_AUDIENCES$|GRAPH_BASE_URL$|TLS_|PUBLIC_BASE_URL$|CONFIG_FILE$|REDIS_URL$)|PROXY$/i;

export type Place = Readonly<{
  entra: Pick<Entra, 'url' | 'tenantId' | 'clientSecret'> &
    Readonly<{ client: Pick<Entra['client'], 'clientId'> }>;
  graphBaseUrl: string;
  caFile: string;
  auditDirectory: string;
  ports: Ports;
}>;

/** The settings by which the service runs in the sandbox. Limits, times and the like are the developer's own. */
export function toServiceEnvironment(inherited: Environment, place: Place): Record<string, string> {
  const { entra, graphBaseUrl, caFile, auditDirectory, ports } = place;
  const kept = Object.entries(inherited).flatMap(([name, value]) =>
    value === undefined || NOT_INHERITED.test(name) ? [] : [[name, value] as const],
  );
  return {
    CORS_ORIGINS: 'http://localhost:3000',
    ...Object.fromEntries(kept),
    HOST: '127.0.0.1',
    PORT: String(ports.PORT),
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: String(ports.ADMIN_PORT),
    AZURE_TENANT_ID: entra.tenantId,
    AZURE_CLIENT_ID: entra.client.clientId,
    AZURE_CLIENT_SECRET: entra.clientSecret,
    AZURE_AUTHORITY_HOST: entra.url,
    GRAPH_BASE_URL: graphBaseUrl,
    ALLOW_CUSTOM_CLOUD: 'true',
    ALLOWED_CLIENT_IDS: CALLING_CLIENT_ID,
    AUDIT_DIR: auditDirectory,
    // The sandbox learns the ports, and when the service listens, from lines of the level info.
    LOG_LEVEL: inherited['LOG_LEVEL'] === 'debug' ? 'debug' : 'info',
    NODE_EXTRA_CA_CERTS: caFile,
  };
}
