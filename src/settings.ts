import type { RateLimits } from './limits/tier.ts';
import type { Secret } from './secret.ts';
import { checkAuditDirectory } from './settings/audit-directory.ts';
import { readAuditKey } from './settings/audit-key.ts';
import { readCloud } from './settings/cloud.ts';
import { checkCoherence } from './settings/coherence.ts';
import { readCredentialSource, type CredentialSource } from './settings/credential-source.ts';
import { createDraft } from './settings/draft.ts';
import { createProblems } from './settings/problems.ts';
import { SETTING_NAMES, ROWS, type SettingName, type SettingValues } from './settings/table.ts';
import { readTexts, type Environment, type ReadFile } from './settings/texts.ts';
import { readTlsFiles, type TlsFiles } from './settings/tls.ts';

export type { CredentialSource } from './settings/credential-source.ts';

/** Everything that can be set (contract section 2), checked. */
export type Settings = Readonly<{
  listen: Readonly<{ host: string; port: number }>;
  admin: Readonly<{ host: string; port: number }>;
  tenantId: string;
  clientId: string;
  credential: CredentialSource;
  /** Origins without a trailing slash. */
  authorityHost: string;
  graphBaseUrl: string;
  /** The pair above is no Microsoft cloud, and that was allowed. */
  isCustomCloud: boolean;
  audiences: readonly string[];
  allowedTenantIds: readonly string[];
  allowedClientIds: readonly string[] | '*';
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
  maxTokenValiditySeconds: number;
  rateLimits: RateLimits;
  redisUrl?: Secret;
  replicas: number;
  limiterOnFailure: 'closed' | 'open';
  limiterDegradedMaxSeconds: number;
  audit: Readonly<{
    directory: string;
    fingerprint: boolean;
    /** Base64 of at least 32 bytes. */
    hmacKey?: Secret;
    pii: 'full' | 'pseudonymous';
    stdout: boolean;
  }>;
  /** 0: never. */
  expiryMetricsIntervalSeconds: number;
  upstreamTimeoutMs: number;
  requestDeadlineMs: number;
  shutdownGraceMs: number;
  logLevel: 'error' | 'warn' | 'info' | 'debug';
  /** Without a trailing slash. */
  publicBaseUrl?: string;
  tls?: TlsFiles;
  proxy: Readonly<{ httpsProxy?: Secret; noProxy: readonly string[] }>;
  enableCae: boolean;
  enableDocs: boolean;
}>;

export type SettingsSources = Readonly<{
  /** The content of config/default.json. */
  defaults: unknown;
  environment: Environment;
  /** Reads a file that a setting names, as UTF-8; throws when it cannot. */
  readFile: ReadFile;
  /** Makes a directory where it is absent; throws when it cannot be made or written. */
  checkDirectory: (path: string) => void;
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

/**
 * The settings in force: `defaults`, outranked by the JSON file that CONFIG_FILE names, outranked by the environment.
 * Throws one SettingsError with every problem.
 */
export function parseSettings({
  defaults,
  environment,
  readFile,
  checkDirectory,
  now = Date.now,
}: SettingsSources): Settings {
  const problems = createProblems(toSecrets(environment));
  const draft = createDraft(readTexts(defaults, environment, readFile, problems), readFile, problems);
  const cloud = readCloud(draft);
  const credential = readCredentialSource(draft, now());
  const hmacKey = readAuditKey(draft);
  const tls = readTlsFiles(draft);
  checkCoherence(draft);
  checkAuditDirectory(draft, checkDirectory);
  problems.throwAny();

  const at = <Name extends SettingName>(name: Name): SettingValues[Name] => known(draft.value(name), name);
  const { value } = draft;
  const clientId = at('AZURE_CLIENT_ID');
  const tenantId = at('AZURE_TENANT_ID');
  const redisUrl = value('REDIS_URL');
  const publicBaseUrl = value('PUBLIC_BASE_URL');
  const httpsProxy = value('HTTPS_PROXY');

  return {
    listen: { host: at('HOST'), port: at('PORT') },
    admin: { host: at('ADMIN_HOST'), port: at('ADMIN_PORT') },
    tenantId,
    clientId,
    credential: known(credential, 'the credential'),
    ...known(cloud, 'the cloud'),
    audiences: value('API_AUDIENCES') ?? [clientId, `api://${clientId}`],
    allowedTenantIds: value('ALLOWED_TENANT_IDS') ?? [tenantId],
    allowedClientIds: at('ALLOWED_CLIENT_IDS'),
    corsOrigins: value('CORS_ORIGINS') ?? [],
    trustedProxies: value('TRUSTED_PROXIES') ?? [],
    maxTokenValiditySeconds: at('MAX_TOKEN_VALIDITY_SECONDS'),
    rateLimits: {
      address: at('RATE_LIMIT_ADDRESS'),
      user: at('RATE_LIMIT_USER'),
      client: at('RATE_LIMIT_CLIENT'),
      tenant: at('RATE_LIMIT_TENANT'),
      profile: at('RATE_LIMIT_PROFILE'),
      graph: at('RATE_LIMIT_GRAPH'),
    },
    ...(redisUrl && { redisUrl }),
    replicas: at('REPLICAS'),
    limiterOnFailure: at('LIMITER_ON_FAILURE'),
    limiterDegradedMaxSeconds: at('LIMITER_DEGRADED_MAX_SECONDS'),
    audit: {
      directory: at('AUDIT_DIR'),
      fingerprint: at('AUDIT_FINGERPRINT'),
      ...(hmacKey && { hmacKey }),
      pii: at('AUDIT_PII'),
      stdout: at('AUDIT_STDOUT'),
    },
    expiryMetricsIntervalSeconds: at('EXPIRY_METRICS_INTERVAL_SECONDS'),
    upstreamTimeoutMs: at('UPSTREAM_TIMEOUT_MS'),
    requestDeadlineMs: at('REQUEST_DEADLINE_MS'),
    shutdownGraceMs: at('SHUTDOWN_GRACE_MS'),
    logLevel: at('LOG_LEVEL'),
    ...(publicBaseUrl && { publicBaseUrl }),
    ...(tls && { tls }),
    proxy: { ...(httpsProxy && { httpsProxy }), noProxy: value('NO_PROXY') ?? [] },
    enableCae: at('ENABLE_CAE'),
    enableDocs: at('ENABLE_DOCS'),
  };
}

/** What is missing was reported before this is reached. */
function known<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`${name} is missing and was not reported`);
  return value;
}

/** What was given for a secret, right or wrong: the longest first, because one may stand in another. */
function toSecrets(environment: Environment): readonly string[] {
  const names: readonly string[] = SETTING_NAMES.filter((name) => ROWS[name].secret !== undefined).flatMap(
    (name) => (ROWS[name].lowerCaseToo ? [name, name.toLowerCase()] : [name]),
  );
  return names
    .map((name) => (environment[name] ?? '').trim())
    .filter((text) => text !== '')
    .toSorted((a, b) => b.length - a.length);
}
