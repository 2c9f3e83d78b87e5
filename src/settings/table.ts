import {
  flag,
  guid,
  host,
  integer,
  listOf,
  network,
  oneOf,
  orWord,
  secret,
  text,
  type Kind,
} from './kind.ts';
import { hmacKey } from './hmac-key-kind.ts';
import { rateLimit } from './rate-limit-kind.ts';
import { redisUrl } from './redis-url-kind.ts';
import { baseUrl, browserOrigin, httpsOrigin, serverUrl } from './url-kind.ts';

export type Setting<Value> = Readonly<{
  /** For people to read; the same sentence stands in config/env.example. */
  meaning: string;
  kind: Kind<Value>;
  /** May be unset, with no default in config/default.json. */
  optional?: true;
  /** Never in a message, and never in a JSON file (`ifCredentials`: there only without credentials in it). */
  secret?: 'always' | 'ifCredentials';
  /** The environment may spell it in lower case, as curl and others do. */
  lowerCaseToo?: true;
}>;

const port = integer(0, 65_535);
const file = text('the path of a readable file');
/** The longest delay that a timer of Node.js takes. */
const milliseconds = integer(1, 2 ** 31 - 1);
const seconds = integer(0, Math.floor((2 ** 31 - 1) / 1000));

/** Every setting (contract section 2). The keys of config/default.json and of CONFIG_FILE are these names too. */
export const SETTINGS = {
  CONFIG_FILE: {
    meaning: 'a JSON file with settings; the environment outranks it',
    kind: file,
    optional: true,
  },

  PORT: { meaning: 'port of the public listener; 0 picks a free one', kind: port },
  HOST: { meaning: 'address that the public listener binds', kind: host },
  ADMIN_PORT: { meaning: 'port of probes and metrics; 0 picks a free one', kind: port },
  ADMIN_HOST: { meaning: 'address that probes and metrics bind', kind: host },
  PUBLIC_BASE_URL: {
    meaning: 'the address that callers use, for links in answers; unset: taken from the request',
    kind: baseUrl,
    optional: true,
  },
  TLS_CERT_FILE: {
    meaning: 'PEM certificate chain: HTTPS on the public listener',
    kind: file,
    optional: true,
  },
  TLS_KEY_FILE: { meaning: 'PEM key that belongs to TLS_CERT_FILE', kind: file, optional: true },
  TRUSTED_PROXIES: {
    meaning: 'addresses or CIDRs whose X-Forwarded-For is believed',
    kind: listOf(network),
    optional: true,
  },
  CORS_ORIGINS: { meaning: 'browser origins that may call', kind: listOf(browserOrigin), optional: true },
  ENABLE_DOCS: { meaning: 'serve /docs', kind: flag },

  AZURE_TENANT_ID: { meaning: 'the home tenant', kind: guid },
  AZURE_CLIENT_ID: { meaning: 'the app registration of this service', kind: guid },
  AZURE_CLIENT_SECRET: {
    meaning: 'credential for the exchange: a client secret (set exactly one of the four)',
    kind: secret({
      expected: 'a client secret without spaces or line breaks',
      read: (text) => (/^[^\s\p{Cc}]+$/u.test(text) ? text : undefined),
    }),
    optional: true,
    secret: 'always',
  },
  AZURE_CLIENT_SECRET_FILE: {
    meaning: 'credential for the exchange: a file that holds a client secret',
    kind: file,
    optional: true,
  },
  AZURE_CLIENT_CERTIFICATE_PATH: {
    meaning: 'credential for the exchange: a PEM file with key and certificate',
    kind: file,
    optional: true,
  },
  AZURE_FEDERATED_TOKEN_FILE: {
    meaning: 'credential for the exchange: a file with a federated token (workload identity)',
    kind: file,
    optional: true,
  },
  AZURE_AUTHORITY_HOST: {
    meaning: 'Entra, a pair with GRAPH_BASE_URL; unset: the global cloud',
    kind: httpsOrigin,
    optional: true,
  },
  GRAPH_BASE_URL: {
    meaning: 'Microsoft Graph, of the same cloud as AZURE_AUTHORITY_HOST',
    kind: httpsOrigin,
    optional: true,
  },
  ALLOW_CUSTOM_CLOUD: { meaning: 'accept a pair that is no Microsoft cloud (sandbox, tests)', kind: flag },

  API_AUDIENCES: {
    meaning: 'accepted aud values; unset: the client id and api://{client id}',
    kind: listOf({
      expected: 'an application id or App ID URI',
      read: (text) => guid.read(text) ?? (/^[!-~]+$/.test(text) && text !== '*' ? text : undefined),
    }),
    optional: true,
  },
  ALLOWED_TENANT_IDS: {
    meaning: 'accepted tid values; unset: AZURE_TENANT_ID',
    kind: listOf(guid),
    optional: true,
  },
  ALLOWED_CLIENT_IDS: {
    meaning: 'accepted calling applications (azp/appid); * alone accepts any',
    kind: orWord('*', listOf(guid)),
  },
  MAX_TOKEN_VALIDITY_SECONDS: {
    meaning: 'the longest validity that may be asked for, in seconds',
    kind: integer(1, 2 ** 31 - 1),
  },
  ENABLE_CAE: { meaning: 'take part in continuous access evaluation', kind: flag },

  RATE_LIMIT_ADDRESS: {
    meaning: 'requests per source address: count/seconds[;shadow] or off',
    kind: rateLimit,
  },
  RATE_LIMIT_USER: { meaning: 'requests per user', kind: rateLimit },
  RATE_LIMIT_CLIENT: { meaning: 'requests per calling application', kind: rateLimit },
  RATE_LIMIT_TENANT: { meaning: 'requests per tenant', kind: rateLimit },
  RATE_LIMIT_PROFILE: { meaning: 'requests per enrollment profile', kind: rateLimit },
  RATE_LIMIT_GRAPH: { meaning: 'writes at Graph per tenant; its own quota is 100 in 20 s', kind: rateLimit },
  REDIS_URL: {
    meaning: 'shared state for more than one replica; unset: in this process',
    kind: secret(redisUrl),
    optional: true,
    secret: 'ifCredentials',
  },
  REPLICAS: { meaning: 'how many replicas share the limits while Redis is gone', kind: integer(1, 10_000) },
  LIMITER_ON_FAILURE: { meaning: 'what the limits do while Redis is gone', kind: oneOf('closed', 'open') },
  LIMITER_DEGRADED_MAX_SECONDS: { meaning: 'for how long they may go on without Redis', kind: seconds },

  AUDIT_DIR: { meaning: 'where the audit journal lives', kind: text('the path of a directory') },
  AUDIT_FINGERPRINT: {
    meaning: 'read the token back after every create, for its fingerprint (needs AUDIT_HMAC_KEY)',
    kind: flag,
  },
  AUDIT_HMAC_KEY: {
    meaning: 'key of fingerprints and pseudonyms: at least 32 bytes, base64',
    kind: secret(hmacKey),
    optional: true,
    secret: 'always',
  },
  AUDIT_HMAC_KEY_FILE: { meaning: 'a file that holds AUDIT_HMAC_KEY', kind: file, optional: true },
  AUDIT_PII: {
    meaning: 'persons in the journal: in full, or by pseudonym (needs AUDIT_HMAC_KEY)',
    kind: oneOf('full', 'pseudonymous'),
  },
  AUDIT_STDOUT: { meaning: 'each audit record also as a log line', kind: flag },

  EXPIRY_METRICS_INTERVAL_SECONDS: {
    meaning: 'count tokens that expire soon for /metrics this often, in seconds; 0: never (see Metrics)',
    kind: {
      expected: '0, or an integer from 60 to 86400',
      read: (text) => (text === '0' ? 0 : integer(60, 86_400).read(text)),
    },
  },

  UPSTREAM_TIMEOUT_MS: { meaning: 'one call to Entra or Graph, in milliseconds', kind: milliseconds },
  REQUEST_DEADLINE_MS: { meaning: 'everything done for one caller, in milliseconds', kind: milliseconds },
  SHUTDOWN_GRACE_MS: {
    meaning: 'how long a stop waits for requests under way; longer than REQUEST_DEADLINE_MS',
    kind: milliseconds,
  },
  HTTPS_PROXY: {
    meaning: 'the way out, where there is one',
    kind: secret(serverUrl('http', 'https')),
    optional: true,
    secret: 'ifCredentials',
    lowerCaseToo: true,
  },
  NO_PROXY: {
    meaning: 'hosts that are reached without HTTPS_PROXY',
    kind: listOf(text('a host, a domain or *')),
    optional: true,
    lowerCaseToo: true,
  },
  LOG_LEVEL: {
    meaning: 'the least severe level that is logged',
    kind: oneOf('error', 'warn', 'info', 'debug'),
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

export type SettingName = keyof typeof SETTINGS;

export type SettingValues = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name]['kind'] extends Kind<infer Value> ? Value : never;
};

/** {@link SETTINGS}, with the type of each row tied to its name. */
export const ROWS: { readonly [Name in SettingName]: Setting<SettingValues[Name]> } = SETTINGS;

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS).filter(isSettingName);
