import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toServiceEnvironment } from '../../sandbox/demo/service-environment.ts';
import { CALLING_CLIENT_ID, CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import { SETTING_NAMES } from '../../src/settings/table.ts';

const place = {
  entra: {
    url: 'https://127.0.0.1:1',
    tenantId: TENANT_ID,
    client: { clientId: CLIENT_ID },
    clientSecret: 'secret-of-the-sandbox',
  },
  graphBaseUrl: 'https://127.0.0.1:2',
  caFile: '/sandbox/ca.pem',
  auditDirectory: '/sandbox/audit',
  ports: { PORT: 0, ADMIN_PORT: 0, ENTRA_PORT: 0, GRAPH_PORT: 0 },
};

test('the log tells when the service listens, whatever level the shell asks for', () => {
  const levelFor = (level?: string) => toServiceEnvironment({ LOG_LEVEL: level }, place)['LOG_LEVEL'];
  assert.deepEqual(['error', 'warn', '', undefined, 'info', 'debug'].map(levelFor), [
    'info',
    'info',
    'info',
    'info',
    'info',
    'debug',
  ]);
});

test('of a shell full of real settings only those stay that lead nowhere', () => {
  const shell = Object.fromEntries(
    [...SETTING_NAMES, 'https_proxy', 'http_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'no_proxy', 'HOME'].map(
      (name) => [name, 'real'],
    ),
  );
  const environment = toServiceEnvironment(shell, place);
  const kept = Object.keys(environment).filter((name) => environment[name] === 'real');
  assert.deepEqual(kept.toSorted(), [
    'AUDIT_FINGERPRINT',
    'AUDIT_HMAC_KEY',
    'AUDIT_HMAC_KEY_FILE',
    'AUDIT_PII',
    'AUDIT_STDOUT',
    'CORS_ORIGINS',
    'ENABLE_CAE',
    'ENABLE_DOCS',
    'EXPIRY_METRICS_INTERVAL_SECONDS',
    'HOME',
    'LIMITER_DEGRADED_MAX_SECONDS',
    'LIMITER_ON_FAILURE',
    'MAX_TOKEN_VALIDITY_SECONDS',
    'RATE_LIMIT_ADDRESS',
    'RATE_LIMIT_CLIENT',
    'RATE_LIMIT_GRAPH',
    'RATE_LIMIT_PROFILE',
    'RATE_LIMIT_TENANT',
    'RATE_LIMIT_USER',
    'REPLICAS',
    'REQUEST_DEADLINE_MS',
    'SHUTDOWN_GRACE_MS',
    'TRUSTED_PROXIES',
    'UPSTREAM_TIMEOUT_MS',
  ]);
  assert.equal(environment['AZURE_CLIENT_ID'], CLIENT_ID);
  assert.equal(environment['ALLOWED_CLIENT_IDS'], CALLING_CLIENT_ID);
  assert.equal(environment['AUDIT_DIR'], '/sandbox/audit');
});
