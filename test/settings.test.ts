import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 wants this polyfill loaded before it
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { parseSettings, type Settings } from '../src/settings.ts';
import { toConfigHash } from '../src/settings/config-hash.ts';
import { exceedsGraphQuota } from '../src/settings/graph-quota.ts';
import { SettingsError } from '../src/settings/settings-error.ts';
import { ROWS, SETTING_NAMES, isSettingName } from '../src/settings/table.ts';

const root = new URL('../', import.meta.url);
const defaults: unknown = JSON.parse(readFileSync(new URL('config/default.json', root), 'utf8'));

const TENANT = '11111111-1111-4111-8111-111111111111';
const CLIENT = '22222222-2222-4222-8222-222222222222';
const CALLER = '33333333-3333-4333-8333-333333333333';
const CANARY = 'c4n4ry-Value~8Q';
const KEY = Buffer.alloc(32, 7).toString('base64');
const NOW = Date.UTC(2026, 10, 24);
const DAY = 24 * 60 * 60 * 1000;

type Environment = Readonly<Record<string, string | undefined>>;
type Files = Readonly<Record<string, string>>;

/** As AUDIT_DIR, a directory that the disk refuses. */
const NO_DIRECTORY = '/refused/by/the/disk';

const REQUIRED: Environment = {
  AZURE_TENANT_ID: TENANT,
  AZURE_CLIENT_ID: CLIENT,
  AZURE_CLIENT_SECRET: CANARY,
  ALLOWED_CLIENT_IDS: CALLER,
};

function parse(environment: Environment = {}, files: Files = {}): Settings {
  return parseSettings({
    defaults,
    environment: { ...REQUIRED, ...environment },
    now: () => NOW,
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
      return content;
    },
    checkDirectory: (path) => {
      if (path === NO_DIRECTORY) throw Object.assign(new Error('not made'), { code: 'ENOTDIR' });
    },
  });
}

const limit = (count: number, seconds: number) => ({ count, seconds, shadow: false });

function problemsOf(environment: Environment, files: Files = {}): readonly string[] {
  try {
    parse(environment, files);
  } catch (error) {
    assert.ok(error instanceof SettingsError, inspect(error));
    assert.equal(error.message, error.problems.join('\n'));
    for (const line of error.problems)
      assert.match(line, /^[A-Z_]+(, [A-Z_]+)*: expected [^\n]+, got [^\n]+$/);
    assert.ok(!inspect(error).includes(CANARY), 'the value of a secret is shown');
    return error.problems;
  }
  return [];
}

function assertOneProblem(name: string, environment: Environment, files: Files = {}): void {
  const problems = problemsOf(environment, files);
  assert.equal(problems.length, 1, problems.join('\n') || `no problem with ${inspect(environment)}`);
  const [names = ''] = (problems[0] ?? '').split(':');
  assert.ok(names.split(', ').includes(name), problems[0]);
}

const withConfig = (config: unknown): readonly [Environment, Files] => [
  { CONFIG_FILE: '/config.json' },
  { '/config.json': JSON.stringify(config) },
];

type Pem = Readonly<{ key: string; certificate: string }>;

async function createPem(algorithm: 'RSA' | 'EC', notAfter = NOW + 30 * DAY): Promise<Pem> {
  const parameters =
    algorithm === 'RSA'
      ? {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
        }
      : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(parameters, true, ['sign', 'verify']);
  assert.ok('privateKey' in keys);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=test',
      keys,
      notBefore: new Date(NOW - 365 * DAY),
      notAfter: new Date(notAfter),
      signingAlgorithm: parameters,
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    certificate: `${certificate.toString('pem')}\n`,
  };
}

const [rsa, otherRsa, ec, expired] = await Promise.all([
  createPem('RSA'),
  createPem('RSA'),
  createPem('EC'),
  createPem('RSA', NOW - DAY),
]);

test('with the required ones alone, all others have their defaults', () => {
  const { credential, ...settings } = parse();
  assert.ok(credential.kind === 'secret');
  assert.equal(credential.secret.reveal(), CANARY);
  assert.deepEqual(settings, {
    listen: { host: '0.0.0.0', port: 8080 },
    admin: { host: '127.0.0.1', port: 9090 },
    tenantId: TENANT,
    clientId: CLIENT,
    authorityHost: 'https://login.microsoftonline.com',
    graphBaseUrl: 'https://graph.microsoft.com',
    isCustomCloud: false,
    audiences: [CLIENT, `api://${CLIENT}`],
    allowedTenantIds: [TENANT],
    allowedClientIds: [CALLER],
    corsOrigins: [],
    trustedProxies: [],
    maxTokenValiditySeconds: 7_776_000,
    rateLimits: {
      address: limit(600, 60),
      user: limit(30, 60),
      client: limit(300, 60),
      tenant: limit(600, 60),
      profile: limit(10, 60),
      graph: limit(50, 20),
    },
    replicas: 2,
    limiterOnFailure: 'closed',
    limiterDegradedMaxSeconds: 300,
    audit: { directory: 'data/audit', fingerprint: false, pii: 'full', stdout: false },
    upstreamTimeoutMs: 10_000,
    requestDeadlineMs: 25_000,
    shutdownGraceMs: 30_000,
    logLevel: 'info',
    proxy: { noProxy: [] },
    enableCae: false,
    enableDocs: true,
    expiryMetricsIntervalSeconds: 0,
  });
});

describe('what is accepted', () => {
  test('GUIDs in any case, lists with blanks and repetitions', () => {
    const upper = CALLER.toUpperCase().replaceAll('3', 'A');
    const settings = parse({
      AZURE_TENANT_ID: upper,
      ALLOWED_CLIENT_IDS: ` ${CALLER} , ${CALLER},${upper},`,
      API_AUDIENCES: `${upper},api://Other`,
    });
    assert.equal(settings.tenantId, upper.toLowerCase());
    assert.deepEqual(settings.allowedClientIds, [CALLER, upper.toLowerCase()]);
    assert.deepEqual(settings.audiences, [upper.toLowerCase(), 'api://Other']);
  });

  test('* for any calling application, only when it is written out', () => {
    assert.equal(parse({ ALLOWED_CLIENT_IDS: '*' }).allowedClientIds, '*');
    assertOneProblem('ALLOWED_CLIENT_IDS', { ALLOWED_CLIENT_IDS: undefined });
    assertOneProblem('ALLOWED_CLIENT_IDS', { ALLOWED_CLIENT_IDS: `*,${CALLER}` });
  });

  test('limits: switched off, or in shadow', () => {
    const { rateLimits } = parse({ RATE_LIMIT_USER: 'off', RATE_LIMIT_GRAPH: '7/3;shadow' });
    assert.equal(rateLimits.user, 'off');
    assert.deepEqual(rateLimits.graph, { count: 7, seconds: 3, shadow: true });
  });

  test('the proxy in lower case; upper case wins', () => {
    const { proxy } = parse({ https_proxy: 'http://lower:1', no_proxy: 'a, .b' });
    assert.equal(proxy.httpsProxy?.reveal(), 'http://lower:1');
    assert.deepEqual(proxy.noProxy, ['a', '.b']);
    const both = parse({ https_proxy: 'http://lower:1', HTTPS_PROXY: `http://u:${CANARY}@upper:1` });
    assert.equal(both.proxy.httpsProxy?.reveal(), `http://u:${CANARY}@upper:1`);
    assert.equal(parse({ port: '1' }).listen.port, 8080);
  });

  test('proxies, origins, addresses', () => {
    const settings = parse({
      TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7, 2001:db8::/32, ::1',
      CORS_ORIGINS: 'https://app.example.com, http://localhost:3000',
      PUBLIC_BASE_URL: 'https://api.example.com/enroll/',
      REDIS_URL: `rediss://:${CANARY}@cache:6380/1`,
    });
    assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);
    assert.deepEqual(settings.corsOrigins, ['https://app.example.com', 'http://localhost:3000']);
    assert.equal(settings.publicBaseUrl, 'https://api.example.com/enroll');
    assert.equal(settings.redisUrl?.reveal(), `rediss://:${CANARY}@cache:6380/1`);
  });

  test('an empty value counts as unset', () => {
    assert.deepEqual(parse({ PORT: '', CORS_ORIGINS: ' ', AZURE_CLIENT_SECRET_FILE: '' }), parse());
  });

  test('two listeners on a port 0', () => {
    assert.equal(parse({ PORT: '0', ADMIN_PORT: '0' }).admin.port, 0);
  });

  test('the key of the journal, from a file too', () => {
    assert.equal(parse({ AUDIT_HMAC_KEY: KEY, AUDIT_PII: 'pseudonymous' }).audit.hmacKey?.reveal(), KEY);
    const settings = parse(
      { AUDIT_HMAC_KEY_FILE: '/key', AUDIT_FINGERPRINT: 'true' },
      { '/key': `${KEY}\n` },
    );
    assert.equal(settings.audit.hmacKey?.reveal(), KEY);
  });

  test('TLS', () => {
    const files = { '/cert': rsa.certificate, '/key': rsa.key };
    const { tls } = parse({ TLS_CERT_FILE: '/cert', TLS_KEY_FILE: '/key' }, files);
    assert.deepEqual(tls, { certFile: '/cert', keyFile: '/key' });
  });
});

describe('precedence', () => {
  test('defaults, outranked by CONFIG_FILE, outranked by the environment', () => {
    const [environment, files] = withConfig({
      PORT: 1,
      ADMIN_PORT: 2,
      AUDIT_STDOUT: true,
      CORS_ORIGINS: ['https://a.example', 'https://b.example'],
    });
    const settings = parse({ ...environment, PORT: '3' }, files);
    assert.deepEqual([settings.listen.port, settings.admin.port, settings.audit.stdout], [3, 2, true]);
    assert.deepEqual(settings.corsOrigins, ['https://a.example', 'https://b.example']);
  });

  test('CONFIG_FILE is checked like everything else', () => {
    assertOneProblem('CONFIG_FILE', { CONFIG_FILE: '/none' });
    assertOneProblem('CONFIG_FILE', { CONFIG_FILE: '/x' }, { '/x': '{' });
    assertOneProblem('CONFIG_FILE', ...withConfig([]));
    assertOneProblem('CONFIG_FILE', ...withConfig(null));
    assertOneProblem('CONFIG_FILE', ...withConfig({ PROT: 1 }));
    assertOneProblem('CONFIG_FILE', ...withConfig(JSON.parse('{"__proto__": {}}')));
    assertOneProblem('CONFIG_FILE', ...withConfig({ constructor: 1 }));
    assertOneProblem('CONFIG_FILE', ...withConfig({ CONFIG_FILE: '/other' }));
    assertOneProblem('PORT', ...withConfig({ PORT: null }));
    assertOneProblem('PORT', ...withConfig({ PORT: 1e21 }));
    assertOneProblem('CORS_ORIGINS', ...withConfig({ CORS_ORIGINS: [1] }));
  });

  test('secrets in CONFIG_FILE are refused and not shown', () => {
    for (const [name, value] of Object.entries({
      AZURE_CLIENT_SECRET: CANARY,
      AUDIT_HMAC_KEY: KEY,
      REDIS_URL: `redis://:${CANARY}@cache`,
      HTTPS_PROXY: `http://user:${CANARY}@proxy`,
    })) {
      assertOneProblem(name, ...withConfig({ [name]: value }));
    }
    const [environment, files] = withConfig({ REDIS_URL: 'redis://cache', HTTPS_PROXY: 'http://proxy:8080' });
    assert.equal(parse(environment, files).redisUrl?.reveal(), 'redis://cache');
  });
});

describe('each setting wrong in turn is one line that names it', () => {
  const integers = ['', '-1', '1.5', '1e3', '0x10', '01', '99999999999', 'many', '१'].filter(Boolean);
  const guids = ['x', `{${TENANT}}`, `${TENANT}0`, TENANT.replaceAll('-', '')];
  const flags = ['yes', '1', 'TRUE'];
  const limits = ['1', '1/', '0/60', '1/0', '1/60;dark', '1/60/60', 'OFF', '-1/60', '1e3/60', '1/99999999'];
  const files = ['/none'];
  const origins = [
    'login.example.com',
    'http://login.example.com',
    'https://login.example.com/path',
    'https://login.example.com?x',
    `https://user:${CANARY}@login.example.com`,
    'https://*',
    'https://login.example.com',
  ];
  const wrong: Readonly<Record<string, readonly string[]>> = {
    CONFIG_FILE: files,
    PORT: [...integers, '65536'],
    HOST: ['a b', 'http://x', '*', '-'],
    ADMIN_PORT: [...integers, '65536'],
    ADMIN_HOST: ['a b', '127.0.0.1:9090'],
    PUBLIC_BASE_URL: ['api.example.com', 'ftp://a', 'https://a/?q', 'https://a/#f', `https://u:${CANARY}@a/`],
    TLS_CERT_FILE: files,
    TLS_KEY_FILE: files,
    TRUSTED_PROXIES: [
      'proxy',
      '10.0.0.0/33',
      '10.0.0.0/0',
      '10.0.0.0/08',
      '10.1',
      '::/129',
      '10.0.0.0/8/8',
      'fe80::1%eth0',
      'loopback',
      '*',
    ],
    CORS_ORIGINS: [
      '*',
      'null',
      'https://a.example/',
      'https://a.example/x',
      'a.example',
      'https://*.a.example',
      ',',
    ],
    ENABLE_DOCS: flags,
    AZURE_TENANT_ID: [...guids, 'common', 'contoso.onmicrosoft.com'],
    AZURE_CLIENT_ID: guids,
    AZURE_CLIENT_SECRET: [`${CANARY} `, `${CANARY}\n`, `two ${CANARY}`],
    AZURE_AUTHORITY_HOST: origins,
    GRAPH_BASE_URL: origins,
    ALLOW_CUSTOM_CLOUD: flags,
    API_AUDIENCES: ['*', 'a b', ','],
    ALLOWED_TENANT_IDS: [...guids, '*', `${TENANT},x`],
    ALLOWED_CLIENT_IDS: [...guids, '**', `*,${CALLER}`],
    MAX_TOKEN_VALIDITY_SECONDS: [...integers, '0', '2147483648'],
    ENABLE_CAE: flags,
    RATE_LIMIT_ADDRESS: limits,
    RATE_LIMIT_USER: limits,
    RATE_LIMIT_CLIENT: limits,
    RATE_LIMIT_TENANT: limits,
    RATE_LIMIT_PROFILE: limits,
    RATE_LIMIT_GRAPH: limits,
    REDIS_URL: [`http://:${CANARY}@cache`, CANARY, `redis://${CANARY} x`],
    REPLICAS: [...integers, '0'],
    LIMITER_ON_FAILURE: ['half', 'CLOSED'],
    LIMITER_DEGRADED_MAX_SECONDS: integers,
    AUDIT_DIR: ['a\u0000b', NO_DIRECTORY],
    AUDIT_FINGERPRINT: [...flags, 'true'],
    AUDIT_HMAC_KEY: [CANARY, Buffer.alloc(31).toString('base64'), `${KEY}*`],
    AUDIT_HMAC_KEY_FILE: files,
    AUDIT_PII: ['none', 'pseudonymous'],
    AUDIT_STDOUT: flags,
    EXPIRY_METRICS_INTERVAL_SECONDS: [...integers, '1', '59', '86401'],
    UPSTREAM_TIMEOUT_MS: [...integers, '0', '2147483648'],
    REQUEST_DEADLINE_MS: [...integers, '0'],
    SHUTDOWN_GRACE_MS: [...integers, '0', '25000'],
    HTTPS_PROXY: [`proxy:${CANARY}@x`, `socks://u:${CANARY}@proxy`],
    NO_PROXY: [','],
    LOG_LEVEL: ['verbose', 'INFO'],
  };
  /** Its four are one alternative, tested below. */
  const credentials = [
    'AZURE_CLIENT_SECRET_FILE',
    'AZURE_CLIENT_CERTIFICATE_PATH',
    'AZURE_FEDERATED_TOKEN_FILE',
  ];

  test('and none is forgotten here', () => {
    assert.deepEqual([...Object.keys(wrong), ...credentials].toSorted(), [...SETTING_NAMES].toSorted());
  });

  for (const [name, values] of Object.entries(wrong)) {
    test(name, () => {
      for (const value of values) assertOneProblem(name, { [name]: value });
    });
  }

  for (const name of credentials) {
    test(name, () => {
      assertOneProblem(name, { AZURE_CLIENT_SECRET: undefined, [name]: '/none' });
      assertOneProblem(name, { AZURE_CLIENT_SECRET: undefined, [name]: '/empty' }, { '/empty': '\n' });
    });
  }

  test('what is required and missing', () => {
    for (const name of Object.keys(REQUIRED)) assertOneProblem(name, { [name]: undefined });
  });
});

describe('the credential', () => {
  const FOUR = [
    'AZURE_CLIENT_SECRET',
    'AZURE_CLIENT_SECRET_FILE',
    'AZURE_CLIENT_CERTIFICATE_PATH',
    'AZURE_FEDERATED_TOKEN_FILE',
  ];
  const none = { AZURE_CLIENT_SECRET: undefined };
  const PEM = 'AZURE_CLIENT_CERTIFICATE_PATH';

  test('none, or two, is one line that names all four', () => {
    for (const environment of [none, { AZURE_FEDERATED_TOKEN_FILE: '/token' }]) {
      const problems = problemsOf(environment, { '/token': 'x' });
      assert.equal(problems.length, 1);
      for (const name of FOUR) assert.ok(problems[0]?.includes(name), name);
    }
  });

  test('of several the malformed one is told as well, and one that CONFIG_FILE may not hold is not missing too', () => {
    const several = { AZURE_CLIENT_SECRET: `two ${CANARY}`, AZURE_CLIENT_SECRET_FILE: '/a', [PEM]: '/b' };
    const names = problemsOf(several).map((line) => line.slice(0, line.indexOf(':')));
    assert.deepEqual(names, ['AZURE_CLIENT_SECRET', FOUR.join(', ')]);
    const [environment, files] = withConfig({ AZURE_CLIENT_SECRET: CANARY });
    assertOneProblem('AZURE_CLIENT_SECRET', { ...none, ...environment }, files);
  });

  test('each kind', () => {
    const files = { '/secret': `${CANARY}\n`, '/token': 'jwt', '/pem': rsa.key + rsa.certificate };
    const kindOf = (name: string, path: string) => parse({ ...none, [name]: path }, files).credential;
    assert.deepEqual(kindOf('AZURE_CLIENT_SECRET_FILE', '/secret'), { kind: 'secretFile', path: '/secret' });
    assert.deepEqual(kindOf('AZURE_FEDERATED_TOKEN_FILE', '/token'), {
      kind: 'federatedToken',
      path: '/token',
    });
    assert.deepEqual(kindOf(PEM, '/pem'), { kind: 'certificate', path: '/pem' });
  });

  test('a file with a secret or a token is held to what its environment variable would be', () => {
    for (const name of ['AZURE_CLIENT_SECRET_FILE', 'AZURE_FEDERATED_TOKEN_FILE']) {
      for (const content of [
        `${CANARY}\n${CANARY}\n`,
        `${CANARY} ${CANARY}`,
        `${CANARY}\u0000`,
        Buffer.from(CANARY, 'utf16le').toString(),
        `${CANARY}\uFEFF${CANARY}`,
      ]) {
        assertOneProblem(name, { ...none, [name]: '/file' }, { '/file': content });
      }
      for (const content of [CANARY, `${CANARY}\r\n`, ` ${CANARY}\n\n`]) {
        assert.deepEqual(problemsOf({ ...none, [name]: '/file' }, { '/file': content }), []);
      }
    }
    const token = { ...none, AZURE_FEDERATED_TOKEN_FILE: '/file' };
    assertOneProblem('AZURE_FEDERATED_TOKEN_FILE', token, { '/file': 'tökén' });
  });

  test('a PEM file needs an RSA key and its own certificate, not expired', () => {
    for (const [pem, got] of [
      [rsa.key, /none that can be used/],
      [rsa.certificate, /none that can be used/],
      [CANARY, /none that can be used/],
      [rsa.key + otherRsa.certificate, /do not belong together/],
      [ec.key + ec.certificate, /another type/],
      [expired.key + expired.certificate, /expired on Nov 23/],
    ] as const) {
      assertOneProblem(PEM, { ...none, [PEM]: '/pem' }, { '/pem': pem });
      assert.match(problemsOf({ ...none, [PEM]: '/pem' }, { '/pem': pem }).join(), got);
    }
  });

  test('a secret or a key given in place of its path is not shown', () => {
    assertOneProblem('AZURE_CLIENT_SECRET_FILE', { ...none, AZURE_CLIENT_SECRET_FILE: CANARY });
    assertOneProblem(PEM, { ...none, [PEM]: `-----BEGIN PRIVATE KEY-----\n${CANARY}` });
    assertOneProblem('AZURE_CLIENT_ID', { AZURE_CLIENT_ID: CANARY });
    assertOneProblem('HTTPS_PROXY', { AZURE_CLIENT_SECRET: 'x', https_proxy: CANARY });
  });
});

function cloudOf(authority?: string, graph?: string, allow?: string): readonly unknown[] {
  const settings = parse({
    AZURE_AUTHORITY_HOST: authority,
    GRAPH_BASE_URL: graph,
    ALLOW_CUSTOM_CLOUD: allow,
  });
  return [settings.authorityHost, settings.graphBaseUrl, settings.isCustomCloud];
}

describe('the cloud', () => {
  const PAIRS = [
    ['https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    ['https://login.microsoftonline.us', 'https://graph.microsoft.us'],
    ['https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
    ['https://login.partner.microsoftonline.cn', 'https://microsoftgraph.chinacloudapi.cn'],
  ] as const;
  test('is any of the four, named with or without a trailing slash', () => {
    for (const [authority, graph] of PAIRS) {
      assert.deepEqual(cloudOf(`${authority}/`, graph), [authority, graph, false]);
      assert.deepEqual(cloudOf(undefined, graph), [authority, graph, false]);
      assert.deepEqual(cloudOf(authority, graph, 'true'), [authority, graph, false]);
    }
  });

  test('is told by its authority, unless two share it', () => {
    for (const [authority, graph] of [PAIRS[0], PAIRS[3]]) {
      assert.deepEqual(cloudOf(`${authority}/`), [authority, graph, false]);
    }
    const problems = problemsOf({ AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us' });
    assert.equal(problems.length, 1);
    assert.match(
      problems[0] ?? '',
      /GRAPH_BASE_URL.*https:\/\/graph\.microsoft\.us.*https:\/\/dod-graph\.microsoft\.us/,
    );
  });

  test('a token never goes to a host that was not allowed by name', () => {
    const custom = { AZURE_AUTHORITY_HOST: 'https://a.example', GRAPH_BASE_URL: 'https://g.example:8443' };
    assertOneProblem('GRAPH_BASE_URL', custom);
    assertOneProblem('GRAPH_BASE_URL', {
      AZURE_AUTHORITY_HOST: 'https://a.example',
      ALLOW_CUSTOM_CLOUD: 'true',
    });
    assertOneProblem('GRAPH_BASE_URL', { GRAPH_BASE_URL: 'https://graph.microsoft.com.evil.example' });
    assert.deepEqual(cloudOf('https://a.example', 'https://g.example:8443', 'true'), [
      'https://a.example',
      'https://g.example:8443',
      true,
    ]);
  });

  test('two Microsoft clouds are never mixed, allowed or not', () => {
    for (const ALLOW_CUSTOM_CLOUD of ['true', 'false']) {
      assertOneProblem('AZURE_AUTHORITY_HOST', {
        AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us',
        GRAPH_BASE_URL: 'https://graph.microsoft.com',
        ALLOW_CUSTOM_CLOUD,
      });
    }
  });
});

describe('settings that are wrong together', () => {
  test('two listeners on one port, however their hosts are spelt', () => {
    assertOneProblem('PORT', { PORT: '9090' });
    assertOneProblem('ADMIN_PORT', { ADMIN_PORT: '8080' });
    for (const [HOST, ADMIN_HOST] of [
      ['::', '::1'],
      ['127.0.0.1', 'localhost'],
      ['::0', '127.0.0.1'],
      ['127.0.0.2', '127.0.0.1'],
    ] as const) {
      assertOneProblem('ADMIN_PORT', { ADMIN_PORT: '8080', HOST, ADMIN_HOST });
    }
  });

  test('a stop that is shorter than a request', () => {
    assertOneProblem('SHUTDOWN_GRACE_MS', { REQUEST_DEADLINE_MS: '30000' });
  });

  test('half of TLS, unusable TLS, two that do not belong together', () => {
    const files = { '/cert': rsa.certificate, '/key': rsa.key, '/other': otherRsa.key, '/text': CANARY };
    assertOneProblem('TLS_KEY_FILE', { TLS_CERT_FILE: '/cert' }, files);
    assertOneProblem('TLS_CERT_FILE', { TLS_KEY_FILE: '/key' }, files);
    assertOneProblem('TLS_CERT_FILE', { TLS_CERT_FILE: '/text', TLS_KEY_FILE: '/key' }, files);
    assertOneProblem('TLS_KEY_FILE', { TLS_CERT_FILE: '/cert', TLS_KEY_FILE: '/text' }, files);
    assertOneProblem('TLS_KEY_FILE', { TLS_CERT_FILE: '/cert', TLS_KEY_FILE: '/other' }, files);
  });

  test('two keys of the journal, or one too short in its file', () => {
    assertOneProblem('AUDIT_HMAC_KEY', { AUDIT_HMAC_KEY: KEY, AUDIT_HMAC_KEY_FILE: '/key' }, { '/key': KEY });
    assertOneProblem('AUDIT_HMAC_KEY_FILE', { AUDIT_HMAC_KEY_FILE: '/key' }, { '/key': CANARY });
  });
});

test('all problems are reported at once, in one line each', () => {
  const problems = problemsOf(
    {
      PORT: 'x',
      AZURE_TENANT_ID: undefined,
      AZURE_CLIENT_SECRET: undefined,
      GRAPH_BASE_URL: 'https://evil.example',
      RATE_LIMIT_USER: 'some',
      REDIS_URL: `http://:${CANARY}@cache`,
      AUDIT_PII: 'pseudonymous',
      TLS_CERT_FILE: '/none',
      CONFIG_FILE: '/config.json',
      AUDIT_DIR: NO_DIRECTORY,
    },
    { '/config.json': JSON.stringify({ UNKNOWN: 1, LOG_LEVEL: 'loud', AUDIT_HMAC_KEY: CANARY }) },
  );
  const names = problems.map((line) => line.slice(0, line.indexOf(':')));
  for (const name of [
    'PORT',
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_SECRET, AZURE_CLIENT_SECRET_FILE, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE',
    'AZURE_AUTHORITY_HOST, GRAPH_BASE_URL',
    'RATE_LIMIT_USER',
    'REDIS_URL',
    'TLS_CERT_FILE, TLS_KEY_FILE',
    'CONFIG_FILE',
    'LOG_LEVEL',
    'AUDIT_HMAC_KEY',
    'AUDIT_DIR',
  ]) {
    assert.equal(names.filter((other) => other === name).length, 1, `${name}\n${problems.join('\n')}`);
  }
  assert.equal(problems.length, 11, problems.join('\n'));
});

describe('a secret put in the wrong place is not shown', () => {
  const shownFor = (name: string, value: string, environment: Environment = {}) => {
    const [line = ''] = problemsOf({ ...environment, [name]: value });
    return line.slice(line.indexOf(', got ') + ', got '.length);
  };

  test('the user of a URL, be it well formed or not', () => {
    for (const [value, shown] of [
      ['ftp://user:pa/w0rd@h:1', '"ftp://[redacted]@h:1"'],
      ['ftp://user:p@ss/w0rd@h:1', '"ftp://[redacted]@h:1"'],
      ['ftp://user:p w@h', '"ftp://[redacted]@h"'],
      ['user:w0rd@h', '"[redacted]@h"'],
      ['https:/\\user:w0rd@h', '"[redacted]@h"'],
      ['https://h/?q', '"https://h/?q"'],
    ] as const) {
      assert.equal(shownFor('PUBLIC_BASE_URL', value), shown);
    }
    assert.equal(shownFor('CORS_ORIGINS', 'https://a, https://u:w0rd@b'), '"https://[redacted]@b"');
  });

  test('a secret of this service, however short, long or spelt', () => {
    const long = `${'x'.repeat(130)}${CANARY}`;
    for (const [secret, value, shown] of [
      ['hunter2', 'hunter2', '"[redacted]"'],
      ['o', 'verbose', '"verbose"'],
      [long, `Bearer ${long}`, '"Bearer [redacted]"'],
      [String.raw`back\slash"quote`, String.raw`a back\slash"quote`, '"a [redacted]"'],
    ] as const) {
      assert.equal(shownFor('LOG_LEVEL', value, { AZURE_CLIENT_SECRET: secret }), shown);
    }
    const proxy = 'http://proxy-of-a-company:3128';
    assert.equal(shownFor('LOG_LEVEL', proxy, { https_proxy: proxy }), '"[redacted]"');
    const blank = { AZURE_CLIENT_SECRET: ' hunter2-and-more\n' };
    assert.ok(
      !problemsOf({ ...blank, LOG_LEVEL: 'hunter2-and-more' })
        .join()
        .includes('hunter2'),
    );
  });
});

test('a limit of writes is held against Graph’s quota, with its burst', () => {
  for (const [text, expected] of [
    ['50/20', false],
    ['51/20', true],
    ['90/180', false],
    ['91/180', true],
    ['5/1', true],
    ['100/1;shadow', true],
    ['off', false],
  ] as const) {
    assert.equal(exceedsGraphQuota(parse({ RATE_LIMIT_GRAPH: text }).rateLimits.graph), expected, text);
  }
});

test('the settings print without their secrets', () => {
  const settings = parse({ REDIS_URL: `redis://:${CANARY}@c`, AUDIT_HMAC_KEY: KEY });
  for (const text of [inspect(settings, { depth: 9, showHidden: true }), JSON.stringify(settings)]) {
    assert.ok(!text.includes(CANARY) && !text.includes(KEY), text);
  }
});

test('the hash of the settings tells a change, and nothing about secrets', () => {
  const hash = toConfigHash(parse());
  assert.match(hash, /^[\da-f]{64}$/);
  assert.equal(toConfigHash(parse({ AZURE_CLIENT_SECRET: 'another-secret' })), hash);
  assert.notEqual(toConfigHash(parse({ RATE_LIMIT_USER: '31/60' })), hash);
  const { tenantId, ...rest } = parse();
  assert.equal(toConfigHash({ ...rest, tenantId }), hash, 'the order of members does not count');
});

describe('what stands beside the code', () => {
  test('config/default.json names known settings only, none of them optional or secret', () => {
    assert.ok(typeof defaults === 'object' && defaults !== null);
    const given = Object.keys(defaults);
    for (const name of given) {
      assert.ok(isSettingName(name), name);
      assert.equal(ROWS[name].optional ?? ROWS[name].secret, undefined, name);
    }
    const missing = SETTING_NAMES.filter(
      (name) => !given.includes(name) && ROWS[name].optional === undefined,
    );
    assert.deepEqual(missing, ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'ALLOWED_CLIENT_IDS']);
  });

  test('config/env.example holds each setting on a line of its own, after its meaning, with its default', () => {
    const lines = readFileSync(new URL('config/env.example', root), 'utf8').trimEnd().split('\n');
    const expected = SETTING_NAMES.flatMap((name) => {
      const value: unknown = Reflect.get(Object(defaults), name);
      const text = value === undefined ? '' : JSON.stringify(value).replaceAll('"', '');
      return [`# ${ROWS[name].meaning}`, `#${name}=${text}`];
    });
    assert.deepEqual(lines.slice(lines.indexOf('') + 1), expected);
  });
});
